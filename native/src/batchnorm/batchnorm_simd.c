/*
 * Batch normalisation with vectors over channels. Sums are in double: the conversions hide behind memory, and neither a
 * large mean nor many rows cost accuracy.
 */
#include <string.h>

#include "activation/vec_activation.h"
#include "batchnorm/batchnorm.h"
#include "simd/vec_rows.h"

/* The bits of n <= LANES channels from c on, lowest first. Lanes fill bytes, or half of one: channels then come in order. */
ROWS_INLINE uint64_t load_mask(const tarn_batchnorm_args *a, int64_t row, int64_t c, int64_t n) {
    const uint8_t *p = batchnorm_mask(a, row, c);
    uint16_t bits = *p;
    if (n > 8) {
        memcpy(&bits, p, sizeof bits);
    }
    return bits >> c % 8;
}

ROWS_INLINE void store_mask(const tarn_batchnorm_args *a, int64_t row, int64_t c, uint64_t bits, int64_t n) {
    uint8_t *p = batchnorm_mask(a, row, c);
    if (n > 8) {
        const uint16_t both = (uint16_t)bits;
        memcpy(p, &both, sizeof both);
    } else {
        *p = (uint8_t)(c % 8 ? *p | bits << c % 8 : bits);
    }
}

/* Adds deviations from the block's first row, and their squares. */
ROWS_INLINE void add_deviations(
        const void *args, int64_t block, int64_t first, int64_t i, int64_t rows, int64_t c, int64_t n) {
    const tarn_batchnorm_args *a = args;
    const float *x = a->input;
    double *sums = batchnorm_partial(a, block, 0) + c, *squares = batchnorm_partial(a, block, 1) + c;
    wide shift = wide_from(vec_load_upto(x + first + c, n));
    wide sum = wide_load(sums), square = wide_load(squares);
    for (int64_t r = 0; r < rows; r++) {
        rows_prefetch(x + i + r * a->c, a->c);
        wide d = wide_sub(wide_load_upto(x + i + r * a->c, n), shift);
        sum = wide_add(sum, d);
        square = wide_fma(d, d, square);
    }
    wide_store(sums, sum);
    wide_store(squares, square);
}

static void clear_partial(const tarn_batchnorm_args *a, int64_t block) {
    memset(batchnorm_partial(a, block, 0), 0, 2 * (size_t)rows_pitch(a->c) * sizeof(double));
}

/*
 * Phase 0: mean and squared deviations of a block, in one pass over memory. In double the correction for the mean of
 * the deviations loses nothing that floats could show.
 */
static int32_t forward_statistics(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    for (int64_t block = begin; block < end; block++) {
        clear_partial(a, block);
        rows_sum(add_deviations, a, block, batchnorm_rows(a), a->c);
        int64_t first, stop;
        rows_range(block, batchnorm_rows(a), a->c, &first, &stop);
        for (int64_t c = 0; c < a->c; c++) {
            double *sum = batchnorm_partial(a, block, 0) + c, *square = batchnorm_partial(a, block, 1) + c;
            double mean = *sum / (double)(stop - first), squares = *square - *sum * mean;
            *square = squares < 0 ? 0 : squares; /* by rounding; a NaN stays */
            *sum = ((const float *)a->input)[first * a->c + c] + mean;
        }
    }
    return TARN_OK;
}

/* y + residual */
ROWS_INLINE vec add_residual(const tarn_batchnorm_args *a, int64_t i, int64_t n, vec y) {
    if (a->residual) {
        rows_prefetch((const float *)a->residual + i, a->c);
        y = vec_add(y, vec_load_upto((const float *)a->residual + i, n));
    }
    return y;
}

ROWS_INLINE void apply_forward(const void *args, int64_t row, int64_t i, int64_t c, int64_t n, const int stream) {
    const tarn_batchnorm_args *a = args;
    const float *x = (const float *)a->input + i;
    rows_prefetch(x, a->c);
    vec d = vec_sub(vec_load_upto(x, n), vec_load_upto((const float *)a->mean + c, n));
    vec scale = vec_load_upto(batchnorm_coefficients(a, 0) + c, n), bias = vec_load_upto((const float *)a->bias + c, n);
    vec y = add_residual(a, i, n, vec_fma(d, scale, bias));
    rows_store((float *)a->output + i, vec_activate(ACTIVATION_OF(a), y), n, stream);
    if (a->mask) {
        uint64_t bits = vec_bits_above(y, 0);
        bits &= a->activation == TARN_RELU6 ? vec_bits_below(y, 6) : bits;
        store_mask(a, row, c, bits, n);
    }
}

static int32_t forward_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    rows_apply(apply_forward, a, vec_aligned(a->output), batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(batchnorm_forward, batchnorm, plan_batchnorm_forward, forward_statistics, batchnorm_forward_combine,
        forward_apply);

/* grad_output behind the mask of act, n floats at element i, channel c of a row */
ROWS_INLINE vec masked_grad(const tarn_batchnorm_args *a, int64_t row, int64_t i, int64_t c, int64_t n) {
    const float *grad_output = (const float *)a->grad_output + i;
    rows_prefetch(grad_output, a->c);
    vec g = vec_load_upto(grad_output, n);
    return a->mask ? vec_where_bits(load_mask(a, row, c, n), g) : g;
}

ROWS_INLINE void add_gradients(
        const void *args, int64_t block, int64_t first, int64_t i, int64_t rows, int64_t c, int64_t n) {
    (void)first;
    const tarn_batchnorm_args *a = args;
    double *sums = batchnorm_partial(a, block, 0) + c, *products = batchnorm_partial(a, block, 1) + c;
    wide mean = wide_from(vec_load_upto((const float *)a->mean + c, n));
    wide sum = wide_load(sums), product = wide_load(products);
    for (int64_t r = 0, row = i / a->c; r < rows; r++, row++, i += a->c) {
        const float *x = (const float *)a->input + i;
        rows_prefetch(x, a->c);
        wide g = wide_from(masked_grad(a, row, i, c, n));
        wide d = wide_sub(wide_load_upto(x, n), mean);
        sum = wide_add(sum, g);
        product = wide_fma(g, d, product);
    }
    wide_store(sums, sum);
    wide_store(products, product);
}

/* Phase 0: the two sums of a block. */
static int32_t backward_sums(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    for (int64_t block = begin; block < end; block++) {
        clear_partial(a, block);
        rows_sum(add_gradients, a, block, batchnorm_rows(a), a->c);
    }
    return TARN_OK;
}

ROWS_INLINE void apply_backward(const void *args, int64_t row, int64_t i, int64_t c, int64_t n, const int stream) {
    const tarn_batchnorm_args *a = args;
    const float *x = (const float *)a->input + i;
    rows_prefetch(x, a->c);
    vec g = masked_grad(a, row, i, c, n);
    /* What takes the place of grad_output is in the first-level cache already: only other results stream. */
    if (a->grad_residual) {
        rows_store((float *)a->grad_residual + i, g, n, stream && a->grad_residual != a->grad_output);
    }
    vec d = vec_sub(vec_load_upto((const float *)a->mean + c, n), vec_load_upto(x, n));
    vec mean_g = vec_load_upto(batchnorm_coefficients(a, BATCHNORM_MEAN_G) + c, n);
    vec slope = vec_load_upto(batchnorm_coefficients(a, BATCHNORM_SLOPE) + c, n);
    vec scale = vec_load_upto(batchnorm_coefficients(a, BATCHNORM_SCALE) + c, n);
    vec grad_input = vec_mul(scale, vec_fma(d, slope, vec_sub(g, mean_g)));
    rows_store((float *)a->grad_input + i, grad_input, n, stream && a->grad_input != a->grad_output);
}

static int32_t backward_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    const int aligned = vec_aligned(a->grad_input) && vec_aligned(a->grad_residual);
    rows_apply(apply_backward, a, aligned, batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(batchnorm_backward, batchnorm, plan_batchnorm_backward, backward_sums, batchnorm_backward_combine,
        backward_apply);

ROWS_INLINE void apply_inference(const void *args, int64_t row, int64_t i, int64_t c, int64_t n, const int stream) {
    (void)row;
    const tarn_batchnorm_args *a = args;
    vec x = vec_load_upto((const float *)a->input + i, n);
    vec scale = vec_load_upto(batchnorm_scale(a) + c, n), shift = vec_load_upto(batchnorm_shift(a) + c, n);
    vec y = add_residual(a, i, n, vec_fma(x, scale, shift));
    rows_store((float *)a->output + i, vec_activate(ACTIVATION_OF(a), y), n, stream);
}

static int32_t inference_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    rows_apply(apply_inference, a, vec_aligned(a->output), batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(batchnorm_inference, batchnorm, plan_batchnorm_inference, batchnorm_inference_prepare, inference_apply);
