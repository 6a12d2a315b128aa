/*
 * Batch normalisation with vectors over channels. Sums are in double: the conversions hide behind memory, and neither a large
 * mean nor many rows cost accuracy.
 */
#include "batchnorm/batchnorm.h"
#include "simd/vec_rows.h"

/*
 * Phase 0: mean and squared deviations of a block in one pass, over deviations from the block's first row. In double the
 * correction for the mean of the deviations loses nothing that floats could show.
 */
ROWS_INLINE void reduce_statistics(
        const void *args, int64_t block, int64_t first, int64_t stop, int64_t c, int vectors, int64_t lanes) {
    const tarn_batchnorm_args *a = args;
    const float *x = (const float *)a->input + first * a->c + c;
    wide shift[ROWS_GROUP], sum[ROWS_GROUP], square[ROWS_GROUP], count = wide_set1(1.0 / (double)(stop - first));
    for (int v = 0; v < vectors; v++) {
        shift[v] = wide_from(vec_load_upto(x + v * LANES, lanes));
        sum[v] = square[v] = wide_zero();
    }
    for (int64_t r = first; r < stop; r++, x += a->c) {
        for (int v = 0; v < vectors; v++) {
            wide d = wide_sub(wide_from(vec_load_upto(x + v * LANES, lanes)), shift[v]);
            sum[v] = wide_add(sum[v], d);
            square[v] = wide_fma(d, d, square[v]);
        }
    }
    for (int v = 0; v < vectors; v++) {
        wide mean = wide_mul(sum[v], count);
        /* rounding may leave a tiny negative number; max returns its second operand, so a NaN stays */
        wide squares = wide_max(wide_zero(), wide_sub(square[v], wide_mul(sum[v], mean)));
        wide_store(batchnorm_partial(a, block, 0) + c + v * LANES, wide_add(shift[v], mean));
        wide_store(batchnorm_partial(a, block, 1) + c + v * LANES, squares);
    }
}

static int32_t forward_statistics(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    rows_reduce(reduce_statistics, a, batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}

/* output = act(y + residual) */
ROWS_INLINE void store_output(const tarn_batchnorm_args *a, int64_t i, int64_t n, vec y) {
    if (a->residual) {
        y = vec_add(y, vec_load_upto((const float *)a->residual + i, n));
    }
    vec_store_upto((float *)a->output + i, a->relu ? vec_relu(y) : y, n);
}

ROWS_INLINE void apply_forward(const void *args, int64_t i, int64_t c, int64_t n) {
    const tarn_batchnorm_args *a = args;
    vec d = vec_sub(vec_load_upto((const float *)a->input + i, n), vec_load_upto((const float *)a->mean + c, n));
    vec scale = vec_load_upto(batchnorm_coefficients(a, 0) + c, n), bias = vec_load_upto((const float *)a->bias + c, n);
    store_output(a, i, n, vec_fma(d, scale, bias));
}

static int32_t forward_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    rows_apply(apply_forward, a, batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(batchnorm_forward, batchnorm, plan_batchnorm_forward, forward_statistics, batchnorm_forward_combine, forward_apply);

/* grad_output behind the mask of act */
ROWS_INLINE vec masked_grad(const tarn_batchnorm_args *a, int64_t i, int64_t n) {
    vec g = vec_load_upto((const float *)a->grad_output + i, n);
    return a->relu ? vec_where_positive(vec_load_upto((const float *)a->output + i, n), g) : g;
}

/* Phase 0: the two sums of a block. */
ROWS_INLINE void reduce_gradients(
        const void *args, int64_t block, int64_t first, int64_t stop, int64_t c, int vectors, int64_t lanes) {
    const tarn_batchnorm_args *a = args;
    wide mean[ROWS_GROUP], sum[ROWS_GROUP], product[ROWS_GROUP];
    for (int v = 0; v < vectors; v++) {
        mean[v] = wide_from(vec_load_upto((const float *)a->mean + c + v * LANES, lanes));
        sum[v] = product[v] = wide_zero();
    }
    for (int64_t r = first; r < stop; r++) {
        for (int v = 0; v < vectors; v++) {
            int64_t i = r * a->c + c + v * LANES;
            wide g = wide_from(masked_grad(a, i, lanes));
            wide d = wide_sub(wide_from(vec_load_upto((const float *)a->input + i, lanes)), mean[v]);
            sum[v] = wide_add(sum[v], g);
            product[v] = wide_fma(g, d, product[v]);
        }
    }
    for (int v = 0; v < vectors; v++) {
        wide_store(batchnorm_partial(a, block, 0) + c + v * LANES, sum[v]);
        wide_store(batchnorm_partial(a, block, 1) + c + v * LANES, product[v]);
    }
}

static int32_t backward_sums(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    rows_reduce(reduce_gradients, a, batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}

ROWS_INLINE void apply_backward(const void *args, int64_t i, int64_t c, int64_t n) {
    const tarn_batchnorm_args *a = args;
    vec g = masked_grad(a, i, n);
    if (a->grad_residual) {
        vec_store_upto((float *)a->grad_residual + i, g, n);
    }
    vec d = vec_sub(vec_load_upto((const float *)a->mean + c, n), vec_load_upto((const float *)a->input + i, n));
    vec mean_g = vec_load_upto(batchnorm_coefficients(a, BATCHNORM_MEAN_G) + c, n);
    vec slope = vec_load_upto(batchnorm_coefficients(a, BATCHNORM_SLOPE) + c, n);
    vec scale = vec_load_upto(batchnorm_coefficients(a, BATCHNORM_SCALE) + c, n);
    vec_store_upto((float *)a->grad_input + i, vec_mul(scale, vec_fma(d, slope, vec_sub(g, mean_g))), n);
}

static int32_t backward_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    rows_apply(apply_backward, a, batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(batchnorm_backward, batchnorm, plan_batchnorm_backward, backward_sums, batchnorm_backward_combine, backward_apply);

ROWS_INLINE void apply_inference(const void *args, int64_t i, int64_t c, int64_t n) {
    const tarn_batchnorm_args *a = args;
    vec x = vec_load_upto((const float *)a->input + i, n);
    vec scale = vec_load_upto(batchnorm_scale(a) + c, n), shift = vec_load_upto(batchnorm_shift(a) + c, n);
    store_output(a, i, n, vec_fma(x, scale, shift));
}

static int32_t inference_apply(const void *args, int64_t begin, int64_t end) {
    const tarn_batchnorm_args *a = args;
    rows_apply(apply_inference, a, batchnorm_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(batchnorm_inference, batchnorm, plan_batchnorm_inference, batchnorm_inference_prepare, inference_apply);
