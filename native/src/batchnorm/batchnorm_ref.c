/*
 * Batch normalisation, defined. S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by
 * reducing internal covariate shift" (2015). The batch is normalised by its biased variance; which one running_var
 * follows is an argument.
 */
#include "batchnorm/batchnorm.h"

/* Phase 0: mean and squared deviations of each block of rows, in two passes. */
static int32_t forward_statistics(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    const real *x = a->input;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, batchnorm_rows(a), a->c, &first, &stop);
        for (int64_t c = 0; c < a->c; c++) {
            double sum = 0, squares = 0;
            for (int64_t r = first; r < stop; r++) {
                sum += x[r * a->c + c];
            }
            double mean = sum / (double)(stop - first);
            for (int64_t r = first; r < stop; r++) {
                squares += (x[r * a->c + c] - mean) * (x[r * a->c + c] - mean);
            }
            batchnorm_partial(a, block, 0)[c] = mean;
            batchnorm_partial(a, block, 1)[c] = squares;
        }
    }
    return TARN_OK;
}

/* Phase 2: output = act((input - mean) * inv_std * weight + bias + residual) */
static int32_t forward_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    const real *x = a->input, *residual = a->residual, *mean = a->mean, *bias = a->bias;
    const real *scale = batchnorm_coefficients(a, 0);
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, batchnorm_rows(a), a->c, &first, &stop);
        for (int64_t i = first * a->c; i < stop * a->c; i++) {
            int64_t c = i % a->c;
            real y = (x[i] - mean[c]) * scale[c] + bias[c];
            y = residual ? y + residual[i] : y;
            ((real *)a->output)[i] = activate(ACTIVATION_OF(a), y);
            if (a->mask) {
                uint8_t *bits = batchnorm_mask(a, i / a->c, c), bit = (uint8_t)(1 << c % 8);
                *bits = (uint8_t)((c % 8 ? *bits : 0) | (activation_gradient(ACTIVATION_OF(a), y, 1) > 0 ? bit : 0));
            }
        }
    }
    return TARN_OK;
}
VARIANT(batchnorm_forward, batchnorm, plan_batchnorm_forward, forward_statistics, batchnorm_forward_combine,
        forward_apply);

/* grad_output behind the mask of act */
static inline real masked_grad(const tarn_batchnorm_args *a, int64_t i) {
    const int64_t c = i % a->c;
    return !a->mask || *batchnorm_mask(a, i / a->c, c) >> c % 8 & 1 ? ((const real *)a->grad_output)[i] : 0;
}

/* Phase 0: the two sums of each block. */
static int32_t backward_sums(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    const real *x = a->input, *mean = a->mean;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, batchnorm_rows(a), a->c, &first, &stop);
        for (int64_t c = 0; c < a->c; c++) {
            double sum = 0, product = 0;
            for (int64_t i = first * a->c + c; i < stop * a->c; i += a->c) {
                double g = masked_grad(a, i);
                sum += g;
                product += g * ((double)x[i] - mean[c]);
            }
            batchnorm_partial(a, block, 0)[c] = sum;
            batchnorm_partial(a, block, 1)[c] = product;
        }
    }
    return TARN_OK;
}

/* Phase 2: grad_input = weight * inv_std * (g - mean(g) - xhat * mean(g * xhat)) and grad_residual = g */
static int32_t backward_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    const real *x = a->input, *mean = a->mean, *scale = batchnorm_coefficients(a, BATCHNORM_SCALE);
    const real *mean_g = batchnorm_coefficients(a, BATCHNORM_MEAN_G);
    const real *slope = batchnorm_coefficients(a, BATCHNORM_SLOPE);
    real *grad_residual = a->grad_residual;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, batchnorm_rows(a), a->c, &first, &stop);
        for (int64_t i = first * a->c; i < stop * a->c; i++) {
            int64_t c = i % a->c;
            real g = masked_grad(a, i);
            if (grad_residual) {
                grad_residual[i] = g;
            }
            ((real *)a->grad_input)[i] = scale[c] * (g - mean_g[c] - (x[i] - mean[c]) * slope[c]);
        }
    }
    return TARN_OK;
}
VARIANT(batchnorm_backward, batchnorm, plan_batchnorm_backward, backward_sums, batchnorm_backward_combine,
        backward_apply);

static int32_t inference_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    const real *x = a->input, *residual = a->residual, *scale = batchnorm_scale(a), *shift = batchnorm_shift(a);
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, batchnorm_rows(a), a->c, &first, &stop);
        for (int64_t i = first * a->c; i < stop * a->c; i++) {
            real y = x[i] * scale[i % a->c] + shift[i % a->c];
            y = residual ? y + residual[i] : y;
            ((real *)a->output)[i] = activate(ACTIVATION_OF(a), y);
        }
    }
    return TARN_OK;
}
VARIANT(batchnorm_inference, batchnorm, plan_batchnorm_inference, batchnorm_inference_prepare, inference_apply);
