/* Plans, memory and the combining phases of batch normalisation, the same at every level. */
#ifndef TARN_BATCHNORM_H
#define TARN_BATCHNORM_H

#include <math.h>

#include "activation/activation.h"
#include "batchnorm/smoothed.h"
#include "rows.h"

static inline int64_t batchnorm_rows(const tarn_batchnorm_args *a) { return a->n * a->hw; }

/* Shared memory of both training passes: coefficients of each channel, then for each block two rows of partial sums. */
#define BATCHNORM_COEFFICIENTS 3
static inline real *batchnorm_coefficients(const tarn_batchnorm_args *a, int64_t which) {
    return (real *)((double *)a->shared + which * rows_pitch(a->c));
}
static inline double *batchnorm_partial(const tarn_batchnorm_args *a, int64_t block, int64_t which) {
    return (double *)a->shared + (BATCHNORM_COEFFICIENTS + 2 * block + which) * rows_pitch(a->c);
}

/* The mask's byte of channel c of a row. */
static inline uint8_t *batchnorm_mask(const tarn_batchnorm_args *a, int64_t row, int64_t c) {
    return (uint8_t *)a->mask + row * ((a->c + 7) / 8) + c / 8;
}

static inline int batchnorm_is_valid(const tarn_batchnorm_args *a) {
    return TARN_PRODUCT(a->n, a->hw, a->c) >= 0 && TARN_PRODUCT(a->hw, a->c) >= 1 && a->eps >= 0 && isfinite(a->eps)
        && SMOOTHED_VALID(a) && a->weight && ACTIVATION_VALID(a);
}

static inline int32_t batchnorm_plan_training(const tarn_batchnorm_args *a, tarn_plan *plan) {
    int64_t blocks = rows_blocks(batchnorm_rows(a), a->c);
    int64_t doubles = (2 * blocks + BATCHNORM_COEFFICIENTS) * rows_pitch(a->c);
    *plan = (tarn_plan){.tasks = {blocks, blocks ? tarn_ceil_div(a->c, ROWS_COMBINE) : 0, blocks},
        .shared = blocks ? doubles * (int64_t)sizeof(double) : 0};
    return TARN_OK;
}

/* One row has no variance: what it would teach is a division by zero. */
static int32_t plan_batchnorm_forward(const void *args, tarn_plan *plan) {
    const tarn_batchnorm_args *a = args;
    const int can_mask = a->activation && activation_passes_or_not(a->activation);
    if (!batchnorm_is_valid(a) || batchnorm_rows(a) == 1 || !(a->keep >= 0 && a->keep <= 1) || a->correction < 0
        || a->correction > 1 || !a->input || !a->output || !a->bias || !a->running_mean || !a->running_var || !a->mean
        || !a->inv_std || (a->mask && !can_mask)) {
        return TARN_BAD_ARGUMENT;
    }
    return batchnorm_plan_training(a, plan);
}

static int32_t plan_batchnorm_backward(const void *args, tarn_plan *plan) {
    const tarn_batchnorm_args *a = args;
    if (!batchnorm_is_valid(a) || batchnorm_rows(a) == 1 || !a->input || !a->mean || !a->inv_std || !a->grad_output
        || !a->grad_input || a->grad_input == a->grad_residual) {
        return TARN_BAD_ARGUMENT;
    }
    return batchnorm_plan_training(a, plan);
}

/*
 * Inference: phase 0 leaves scale and shift for each channel in shared, which stay valid until the parameters change;
 * phase 1 applies them to a block of rows.
 */
static int32_t plan_batchnorm_inference(const void *args, tarn_plan *plan) {
    const tarn_batchnorm_args *a = args;
    if (!batchnorm_is_valid(a) || !a->input || !a->output || !a->bias || !a->running_mean || !a->running_var) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){.tasks = {a->n > 0, rows_blocks(batchnorm_rows(a), a->c)},
        .shared = 2 * rows_pitch(a->c) * (int64_t)sizeof(real), .reusable = 1};
    return TARN_OK;
}

static inline real *batchnorm_scale(const tarn_batchnorm_args *a) { return a->shared; }
static inline real *batchnorm_shift(const tarn_batchnorm_args *a) { return (real *)a->shared + rows_pitch(a->c); }

static int32_t batchnorm_inference_prepare(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    const real *weight = a->weight, *bias = a->bias, *mean = a->running_mean, *var = a->running_var;
    for (int64_t c = 0; begin < end && c < a->c; c++) {
        double scale = weight[c] / smoothed_deviation(a->smoothed, var[c], a->eps);
        batchnorm_scale(a)[c] = (real)scale;
        batchnorm_shift(a)[c] = (real)(bias[c] - mean[c] * scale);
    }
    return TARN_OK;
}

/*
 * Phase 1 of forward, over groups of channels. Partial 0 holds each block's mean, partial 1 its sum of squared
 * deviations from that mean; both are merged as in Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm
 * for computing sample variances" (1979). Leaves weight * inv_std as coefficient 0.
 */
static int32_t batchnorm_forward_combine(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    int64_t rows = batchnorm_rows(a), blocks = rows_blocks(rows, a->c);
    real *running_mean = a->running_mean, *running_var = a->running_var;
    for (int64_t c = begin * ROWS_COMBINE; c < tarn_min(a->c, end * ROWS_COMBINE); c++) {
        double mean = 0, squares = 0, seen = 0;
        for (int64_t block = 0; block < blocks; block++) {
            int64_t first, stop;
            rows_range(block, rows, a->c, &first, &stop);
            double added = (double)(stop - first), delta = batchnorm_partial(a, block, 0)[c] - mean;
            double weight = added / (seen + added);
            mean += delta * weight;
            squares += batchnorm_partial(a, block, 1)[c] + delta * delta * seen * weight;
            seen += added;
        }
        double inv_std = 1 / sqrt(squares / seen + a->eps);
        ((real *)a->mean)[c] = (real)mean;
        ((real *)a->inv_std)[c] = (real)inv_std;
        batchnorm_coefficients(a, 0)[c] = (real)(((const real *)a->weight)[c] * inv_std);
        // All of them kept means untouched: -0 stays -0, and infinity does not become NaN.
        if (a->keep < 1) {
            running_mean[c] = (real)(a->keep * running_mean[c] + (1 - a->keep) * mean);
            double batch = smoothed_of(a->smoothed, squares / (seen - (double)a->correction), a->eps);
            running_var[c] = (real)(a->keep * running_var[c] + (1 - a->keep) * batch);
        }
    }
    return TARN_OK;
}

/*
 * Phase 1 of backward. Partial 0 holds sums of g, partial 1 of g * (input - mean), where g is grad_output behind the
 * mask of act. Leaves what phase 2 needs for grad_input = scale * (g - mean_g - (input - mean) * slope).
 */
enum { BATCHNORM_SCALE, BATCHNORM_MEAN_G, BATCHNORM_SLOPE };

static int32_t batchnorm_backward_combine(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    int64_t rows = batchnorm_rows(a), blocks = rows_blocks(rows, a->c);
    real *grad_weight = a->grad_weight, *grad_bias = a->grad_bias;
    for (int64_t c = begin * ROWS_COMBINE; c < tarn_min(a->c, end * ROWS_COMBINE); c++) {
        double sum = 0, product = 0, inv_std = ((const real *)a->inv_std)[c];
        for (int64_t block = 0; block < blocks; block++) {
            sum += batchnorm_partial(a, block, 0)[c];
            product += batchnorm_partial(a, block, 1)[c];
        }
        if (grad_weight) {
            grad_weight[c] = (real)(grad_weight[c] + product * inv_std);
        }
        if (grad_bias) {
            grad_bias[c] = (real)(grad_bias[c] + sum);
        }
        batchnorm_coefficients(a, BATCHNORM_SCALE)[c] = (real)(((const real *)a->weight)[c] * inv_std);
        batchnorm_coefficients(a, BATCHNORM_MEAN_G)[c] = (real)(sum / (double)rows);
        batchnorm_coefficients(a, BATCHNORM_SLOPE)[c] = (real)(product / (double)rows * inv_std * inv_std);
    }
    return TARN_OK;
}

#endif
