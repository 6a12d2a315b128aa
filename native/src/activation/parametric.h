/* Plans of the activations with a learned alpha, and the phase that combines its gradient, the same at every level. */
#ifndef TARN_PARAMETRIC_H
#define TARN_PARAMETRIC_H

#include "activation/activation.h"
#include "rows.h"

static inline int64_t parametric_rows(const tarn_parametric_args *a) { return a->n * a->hw; }
static inline real parametric_alpha(const tarn_parametric_args *a, int64_t c) {
    return ((const real *)a->alpha)[a->alphas == 1 ? 0 : c];
}

static inline int parametric_is_valid(const tarn_parametric_args *a) {
    return TARN_PRODUCT(a->n, a->hw, a->c) >= 0 && TARN_PRODUCT(a->hw, a->c) >= 1
        && (a->activation == TARN_LEAKY_RELU || a->activation == TARN_SWISH) && (a->alphas == 1 || a->alphas == a->c)
        && a->input && a->alpha;
}

static int32_t plan_parametric_forward(const void *args, tarn_plan *plan) {
    const tarn_parametric_args *a = args;
    if (!parametric_is_valid(a) || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, rows_blocks(parametric_rows(a), a->c));
}

/* What a block of rows adds to the gradient of each channel's alpha, in double. */
static inline double *parametric_partial(const tarn_parametric_args *a, int64_t block) {
    return (double *)a->shared + block * rows_pitch(a->c);
}

static int32_t plan_parametric_backward(const void *args, tarn_plan *plan) {
    const tarn_parametric_args *a = args;
    if (!parametric_is_valid(a) || !a->grad_output || !a->grad_input || !a->grad_alpha) {
        return TARN_BAD_ARGUMENT;
    }
    const int64_t blocks = rows_blocks(parametric_rows(a), a->c);
    *plan = (tarn_plan){.tasks = {blocks, blocks ? tarn_ceil_div(a->alphas, ROWS_COMBINE) : 0},
        .shared = blocks * rows_pitch(a->c) * (int64_t)sizeof(double)};
    return TARN_OK;
}

static int32_t parametric_combine(const void *args, int64_t begin, int64_t end) {
    const tarn_parametric_args *a = args;
    const int64_t blocks = rows_blocks(parametric_rows(a), a->c), channels = a->c / a->alphas;
    for (int64_t i = begin * ROWS_COMBINE; i < tarn_min(a->alphas, end * ROWS_COMBINE); i++) {
        double sum = 0;
        for (int64_t block = 0; block < blocks; block++) {
            for (int64_t c = i * channels; c < (i + 1) * channels; c++) {
                sum += parametric_partial(a, block)[c];
            }
        }
        ((real *)a->grad_alpha)[i] = (real)(((const real *)a->grad_alpha)[i] + sum);
    }
    return TARN_OK;
}

#endif
