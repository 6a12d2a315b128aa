/* Plans of the bias operations and the combining phase, the same at every level. */
#ifndef TARN_BIAS_H
#define TARN_BIAS_H

#include "activation/activation.h"
#include "rows.h"

static inline int64_t bias_rows(const tarn_bias_args *a) { return a->n * a->hw; }

static inline int bias_is_valid(const tarn_bias_args *a) {
    return TARN_PRODUCT(a->n, a->hw, a->c) >= 0 && TARN_PRODUCT(a->hw, a->c) >= 1
        && ACTIVATION_VALID(a);
}

static int32_t plan_bias_forward(const void *args, tarn_plan *plan) {
    const tarn_bias_args *a = args;
    if (!bias_is_valid(a) || !a->input || !a->bias || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, rows_blocks(bias_rows(a), a->c));
}

/* The sum of each block of rows, in double. */
static inline double *bias_partial(const tarn_bias_args *a, int64_t block) {
    return (double *)a->shared + block * rows_pitch(a->c);
}

/* Takes the gradient before act: activation_backward comes first. */
static int32_t plan_bias_backward(const void *args, tarn_plan *plan) {
    const tarn_bias_args *a = args;
    if (!bias_is_valid(a) || a->activation || !a->grad_output || !a->grad_bias) {
        return TARN_BAD_ARGUMENT;
    }
    int64_t blocks = rows_blocks(bias_rows(a), a->c);
    *plan = (tarn_plan){.tasks = {blocks, blocks ? tarn_ceil_div(a->c, ROWS_COMBINE) : 0},
        .shared = blocks * rows_pitch(a->c) * (int64_t)sizeof(double)};
    return TARN_OK;
}

static int32_t bias_backward_combine(const void *args, int64_t begin, int64_t end) {
    const tarn_bias_args *a = args;
    int64_t blocks = rows_blocks(bias_rows(a), a->c);
    for (int64_t c = begin * ROWS_COMBINE; c < tarn_min(a->c, end * ROWS_COMBINE); c++) {
        double sum = 0;
        for (int64_t block = 0; block < blocks; block++) {
            sum += bias_partial(a, block)[c];
        }
        ((real *)a->grad_bias)[c] = (real)(((const real *)a->grad_bias)[c] + sum);
    }
    return TARN_OK;
}

#endif
