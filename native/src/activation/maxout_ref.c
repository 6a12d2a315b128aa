/* Maxout, defined. The first of equals wins, and the first NaN. */
#include "activation/maxout.h"

static int32_t maxout_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_maxout_args *a = args;
    int64_t row, stop;
    for (maxout_range(a, begin, end, &row, &stop); row < stop; row++) {
        const real *x = (const real *)a->input + row * a->pieces * a->c;
        for (int64_t c = 0; c < a->c; c++) {
            int64_t best = 0;
            for (int64_t j = 1; j < a->pieces; j++) {
                const real value = x[j * a->c + c], most = x[best * a->c + c];
                best = most == most && !(value <= most) ? j : best;
            }
            ((real *)a->output)[row * a->c + c] = x[best * a->c + c];
            if (a->index) {
                ((uint8_t *)a->index)[row * a->c + c] = (uint8_t)best;
            }
        }
    }
    return TARN_OK;
}
VARIANT(maxout_forward, maxout, plan_maxout_forward, maxout_forward);

/* All of the gradient goes to the piece that won. */
static int32_t maxout_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_maxout_args *a = args;
    int64_t row, stop;
    for (maxout_range(a, begin, end, &row, &stop); row < stop; row++) {
        const real *grad_output = (const real *)a->grad_output + row * a->c;
        const uint8_t *index = (const uint8_t *)a->index + row * a->c;
        for (int64_t j = 0; j < a->pieces; j++) {
            for (int64_t c = 0; c < a->c; c++) {
                ((real *)a->grad_input)[(row * a->pieces + j) * a->c + c] = index[c] == j ? grad_output[c] : 0;
            }
        }
    }
    return TARN_OK;
}
VARIANT(maxout_backward, maxout, plan_maxout_backward, maxout_backward);
