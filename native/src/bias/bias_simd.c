/* Bias with vectors over channels; forward has the same bits as the reference. */
#include <string.h>

#include "activation/vec_activation.h"
#include "bias/bias.h"
#include "simd/vec_rows.h"

ROWS_INLINE void apply_bias(const void *args, int64_t row, int64_t i, int64_t c, int64_t n, const int stream) {
    (void)row;
    const tarn_bias_args *a = args;
    vec y = vec_add(vec_load_upto((const float *)a->input + i, n), vec_load_upto((const float *)a->bias + c, n));
    rows_store((float *)a->output + i, vec_activate(ACTIVATION_OF(a), y), n, stream && a->output != a->input);
}

static int32_t bias_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_bias_args *a = args;
    rows_apply(apply_bias, a, vec_aligned(a->output), bias_rows(a), a->c, begin, end);
    return TARN_OK;
}
VARIANT(bias_forward, bias, plan_bias_forward, bias_forward);

ROWS_INLINE void add_gradients(
        const void *args, int64_t block, int64_t first, int64_t i, int64_t rows, int64_t c, int64_t n) {
    (void)first;
    const tarn_bias_args *a = args;
    double *sums = bias_partial(a, block) + c;
    wide sum = wide_load(sums);
    for (int64_t r = 0; r < rows; r++) {
        const float *grad_output = (const float *)a->grad_output + i + r * a->c;
        rows_prefetch(grad_output, a->c);
        sum = wide_add(sum, wide_load_upto(grad_output, n));
    }
    wide_store(sums, sum);
}

#define NARROW (LANES / 2)

/* The sums of a block with up to NARROW channels: LANES rows are as many whole vectors, with a sum for each lane. */
static void add_narrow_gradients(const tarn_bias_args *a, int64_t block, double *sums) {
    double lanes[NARROW * LANES] = {0};
    int64_t row, stop;
    rows_range(block, bias_rows(a), a->c, &row, &stop);
    const float *grad_output = (const float *)a->grad_output + row * a->c;
    for (; row + LANES <= stop; row += LANES) {
        for (int64_t i = 0; i < a->c * LANES; i += LANES, grad_output += LANES) {
            wide_store(lanes + i, wide_add(wide_load(lanes + i), wide_load_upto(grad_output, LANES)));
        }
    }
    for (int64_t i = 0; i < a->c * LANES; i++) {
        sums[i % a->c] += lanes[i];
    }
    for (int64_t i = 0; i < (stop - row) * a->c; i++) {
        sums[i % a->c] += grad_output[i];
    }
}

static int32_t bias_backward_sums(const void *args, int64_t begin, int64_t end) {
    const tarn_bias_args *a = args;
    for (int64_t block = begin; block < end; block++) {
        memset(bias_partial(a, block), 0, (size_t)rows_pitch(a->c) * sizeof(double));
        if (a->c <= NARROW) {
            add_narrow_gradients(a, block, bias_partial(a, block));
        } else {
            rows_sum(add_gradients, a, block, bias_rows(a), a->c);
        }
    }
    return TARN_OK;
}
VARIANT(bias_backward, bias, plan_bias_backward, bias_backward_sums, bias_backward_combine);
