/* Activations with a learned alpha, with vectors over channels. Gradients of alpha are summed in double. */
#include "activation/parametric.h"
#include "activation/vec_activation.h"
#include "simd/vec_rows.h"

ROWS_INLINE vec alpha_of(const tarn_parametric_args *a, int64_t c, int64_t n) {
    const float *alpha = a->alpha;
    return a->alphas == 1 ? vec_set1(*alpha) : vec_load_upto(alpha + c, n);
}

ROWS_INLINE void apply_forward(const void *args, int64_t row, int64_t i, int64_t c, int64_t n, const int stream) {
    (void)row;
    const tarn_parametric_args *a = args;
    const vec x = vec_load_upto((const float *)a->input + i, n), alpha = alpha_of(a, c, n);
    vec y;
    if (a->activation == TARN_LEAKY_RELU) {
        y = vec_where_positive(x, x, vec_mul(alpha, x));
    } else {
        y = vec_mul(x, vec_sigmoid(vec_mul(alpha, x)));
    }
    rows_store((float *)a->output + i, y, n, stream && a->output != a->input);
}

static int32_t parametric_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_parametric_args *a = args;
    rows_apply(apply_forward, a, vec_aligned(a->output), parametric_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(parametric_forward, parametric, plan_parametric_forward, parametric_forward);

ROWS_INLINE void add_gradients(
        const void *args, int64_t block, int64_t first, int64_t i, int64_t rows, int64_t c, int64_t n) {
    (void)first;
    const tarn_parametric_args *a = args;
    double *sums = parametric_partial(a, block) + c;
    const vec alpha = alpha_of(a, c, n);
    wide sum = wide_load(sums);
    for (int64_t r = 0; r < rows; r++, i += a->c) {
        const vec x = vec_load_upto((const float *)a->input + i, n);
        const vec g = vec_load_upto((const float *)a->grad_output + i, n);
        vec by_alpha, grad;
        if (a->activation == TARN_LEAKY_RELU) {
            by_alpha = vec_where_positive(x, vec_zero(), x);
            grad = vec_where_positive(x, g, vec_mul(alpha, g));
        } else {
            const vec s = vec_sigmoid(vec_mul(alpha, x));
            by_alpha = vec_mul(vec_mul(x, x), vec_mul(s, vec_sub(vec_set1(1), s)));
            grad = vec_mul(vec_swish_slope(s, alpha, x), g);
        }
        sum = wide_fma(wide_from(by_alpha), wide_from(g), sum);
        vec_store_upto((float *)a->grad_input + i, grad, n);
    }
    wide_store(sums, sum);
}

static int32_t parametric_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_parametric_args *a = args;
    for (int64_t block = begin; block < end; block++) {
        memset(parametric_partial(a, block), 0, (size_t)rows_pitch(a->c) * sizeof(double));
        rows_sum(add_gradients, a, block, parametric_rows(a), a->c);
    }
    return TARN_OK;
}
VARIANT(parametric_backward, parametric, plan_parametric_backward, parametric_backward, parametric_combine);
