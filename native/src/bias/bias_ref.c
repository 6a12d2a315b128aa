/* Bias of each channel, defined. The gradient of the input is grad_output itself. */
#include "bias/bias.h"

/* output = act(input + bias); output may be input */
static int32_t bias_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_bias_args *a = args;
    const real *x = a->input, *bias = a->bias;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, bias_rows(a), a->c, &first, &stop);
        for (int64_t i = first * a->c; i < stop * a->c; i++) {
            real y = x[i] + bias[i % a->c];
            ((real *)a->output)[i] = activate(ACTIVATION_OF(a), y);
        }
    }
    return TARN_OK;
}
VARIANT(bias_forward, bias, plan_bias_forward, bias_forward);

/* grad_bias += sum of grad_output over all rows */
static int32_t bias_backward_sums(const void *args, int64_t begin, int64_t end) {
    const tarn_bias_args *a = args;
    const real *grad_output = a->grad_output;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, bias_rows(a), a->c, &first, &stop);
        for (int64_t c = 0; c < a->c; c++) {
            double sum = 0;
            for (int64_t r = first; r < stop; r++) {
                sum += grad_output[r * a->c + c];
            }
            bias_partial(a, block)[c] = sum;
        }
    }
    return TARN_OK;
}
VARIANT(bias_backward, bias, plan_bias_backward, bias_backward_sums, bias_backward_combine);
