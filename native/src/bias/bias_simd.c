/* Bias with vectors over channels; forward has the same bits as the reference. */
#include "bias/bias.h"
#include "simd/vec_rows.h"

ROWS_INLINE void apply_bias(const void *args, int64_t i, int64_t c, int64_t n) {
    const tarn_bias_args *a = args;
    vec y = vec_add(vec_load_upto((const float *)a->input + i, n), vec_load_upto((const float *)a->bias + c, n));
    vec_store_upto((float *)a->output + i, a->relu ? vec_relu(y) : y, n);
}

static int32_t bias_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_bias_args *a = args;
    rows_apply(apply_bias, a, bias_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(bias_forward, bias, plan_bias_forward, bias_forward);

ROWS_INLINE void reduce_bias(
        const void *args, int64_t block, int64_t first, int64_t stop, int64_t c, int vectors, int64_t lanes) {
    const tarn_bias_args *a = args;
    const float *grad_output = (const float *)a->grad_output + first * a->c + c;
    wide sum[ROWS_GROUP];
    for (int v = 0; v < vectors; v++) {
        sum[v] = wide_zero();
    }
    for (int64_t r = first; r < stop; r++, grad_output += a->c) {
        for (int v = 0; v < vectors; v++) {
            sum[v] = wide_add(sum[v], wide_from(vec_load_upto(grad_output + v * LANES, lanes)));
        }
    }
    for (int v = 0; v < vectors; v++) {
        wide_store(bias_partial(a, block) + c + v * LANES, sum[v]);
    }
}

static int32_t bias_backward_sums(const void *args, int64_t begin, int64_t end) {
    const tarn_bias_args *a = args;
    rows_reduce(reduce_bias, a, bias_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(bias_backward, bias, plan_bias_backward, bias_backward_sums, bias_backward_combine);
