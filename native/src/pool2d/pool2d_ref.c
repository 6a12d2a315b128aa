/* Max and average pooling, defined. Elements outside the image take no part: padding never wins and adds nothing. */
#include <string.h>

#include "pool2d/pool2d.h"

/*
 * Sums are kept in the next wider type: k copies of one value then add up exactly (in long double of x86 for k up to
 * 2048), and the average of a constant is that constant to the bit.
 */
#if defined(TARN_BUILD_F64)
typedef long double wide;
#else
typedef double wide;
#endif

/* The first maximum in row-major order; a NaN is greater than every number. */
static int32_t maxpool2d_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    uint8_t *index = a->index;
    for (int64_t task = begin; task < end; task++) {
        const element *image = (const element *)a->input + task / a->oh * a->h * a->w * a->c;
        pool2d_window at;
        pool2d_at_row(a, task % a->oh, &at);
        for (int64_t x = 0; x < a->ow; x++) {
            pool2d_at_column(a, x, &at);
            for (int64_t c = 0; c < a->c; c++) {
                real best = 0;
                int64_t winner = -1;
                for (int64_t i = at.i0; i < at.i1; i++) {
                    for (int64_t j = at.j0; j < at.j1; j++) {
                        real value = tarn_get(image, ((at.row + i * a->dh) * a->w + at.column + j * a->dw) * a->c + c);
                        if (winner < 0 || value > best || (value != value && best == best)) {
                            best = value;
                            winner = i * a->kw + j;
                        }
                    }
                }
                int64_t o = (task * a->ow + x) * a->c + c;
                tarn_set(a->output, o, best);
                if (index) {
                    index[o] = (uint8_t)winner;
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(maxpool2d_forward, pool2d, plan_maxpool2d_forward, maxpool2d_forward);

#if !defined(TARN_BUILD_BF16)
/*
 * Each element sums grad_output of the windows that it won, in row-major order of the windows. Reading from the
 * element's side gives every task a row of its own, and no index in memory, however damaged, can lead outside the
 * image.
 */
static int32_t maxpool2d_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    const real *grad_output = a->grad_output;
    const uint8_t *index = a->index;
    for (int64_t task = begin; task < end; task++) {
        int64_t image = task / a->h, row = task % a->h;
        real *grad_input = (real *)a->grad_input + task * a->w * a->c;
        memset(grad_input, 0, (size_t)(a->w * a->c) * sizeof(real));
        for (int64_t y = 0; y < a->oh; y++) {
            pool2d_window at;
            pool2d_at_row(a, y, &at);
            int64_t i = (row - at.row) / a->dh;
            if (row < at.row || (row - at.row) % a->dh != 0 || i >= a->kh) {
                continue;
            }
            for (int64_t x = 0; x < a->ow; x++) {
                pool2d_at_column(a, x, &at);
                for (int64_t j = at.j0; j < at.j1; j++) {
                    for (int64_t c = 0; c < a->c; c++) {
                        int64_t o = ((image * a->oh + y) * a->ow + x) * a->c + c;
                        if (index[o] == i * a->kw + j) {
                            grad_input[(at.column + j * a->dw) * a->c + c] += grad_output[o];
                        }
                    }
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(maxpool2d_backward, pool2d, plan_maxpool2d_backward, maxpool2d_backward);
#endif

static int32_t avgpool2d_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    for (int64_t task = begin; task < end; task++) {
        const element *image = (const element *)a->input + task / a->oh * a->h * a->w * a->c;
        pool2d_window at;
        pool2d_at_row(a, task % a->oh, &at);
        for (int64_t x = 0; x < a->ow; x++) {
            pool2d_at_column(a, x, &at);
            for (int64_t c = 0; c < a->c; c++) {
                wide sum = 0;
                for (int64_t i = at.i0; i < at.i1; i++) {
                    for (int64_t j = at.j0; j < at.j1; j++) {
                        sum += tarn_get(image, ((at.row + i * a->dh) * a->w + at.column + j * a->dw) * a->c + c);
                    }
                }
                tarn_set(a->output, (task * a->ow + x) * a->c + c, (real)(sum / (wide)pool2d_divisor(a, at)));
            }
        }
    }
    return TARN_OK;
}
VARIANT(avgpool2d_forward, pool2d, plan_avgpool2d_forward, avgpool2d_forward);

#if !defined(TARN_BUILD_BF16)
static int32_t avgpool2d_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_pool2d_args *a = args;
    for (int64_t task = begin; task < end; task++) {
        int64_t image = task / a->h, row = task % a->h;
        real *grad_input = (real *)a->grad_input + task * a->w * a->c;
        memset(grad_input, 0, (size_t)(a->w * a->c) * sizeof(real));
        for (int64_t y = 0; y < a->oh; y++) {
            pool2d_window at;
            pool2d_at_row(a, y, &at);
            if (row < at.row || (row - at.row) % a->dh != 0 || (row - at.row) / a->dh >= a->kh) {
                continue;
            }
            for (int64_t x = 0; x < a->ow; x++) {
                pool2d_at_column(a, x, &at);
                const real *grad_output = (const real *)a->grad_output + ((image * a->oh + y) * a->ow + x) * a->c;
                for (int64_t j = at.j0; j < at.j1; j++) {
                    for (int64_t c = 0; c < a->c; c++) {
                        grad_input[(at.column + j * a->dw) * a->c + c] += grad_output[c] / (real)pool2d_divisor(a, at);
                    }
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(avgpool2d_backward, pool2d, plan_avgpool2d_backward, avgpool2d_backward);
#endif
