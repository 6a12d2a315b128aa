/* Maxout with vectors over channels; same bits as the reference. */
#include "activation/maxout.h"
#include "simd/vec.h"

static int32_t maxout_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_maxout_args *a = args;
    int64_t row, stop;
    for (maxout_range(a, begin, end, &row, &stop); row < stop; row++) {
        const float *x = (const float *)a->input + row * a->pieces * a->c;
        for (int64_t c = 0; c < a->c; c += LANES) {
            const int64_t n = tarn_min(LANES, a->c - c);
            vec best = vec_load_upto(x + c, n);
            veci winner = veci_set1(0);
            for (int64_t j = 1; j < a->pieces; j++) {
                const vec value = vec_load_upto(x + j * a->c + c, n);
                const vmask wins = vec_wins(value, best);
                best = vec_select(wins, value, best);
                winner = veci_select(wins, veci_set1((uint32_t)j), winner);
            }
            vec_store_upto((float *)a->output + row * a->c + c, best, n);
            if (a->index) {
                veci_store_bytes((uint8_t *)a->index + row * a->c + c, winner, n);
            }
        }
    }
    return TARN_OK;
}
VARIANT(maxout_forward, maxout, plan_maxout_forward, maxout_forward);

static int32_t maxout_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_maxout_args *a = args;
    int64_t row, stop;
    for (maxout_range(a, begin, end, &row, &stop); row < stop; row++) {
        float *grad_input = (float *)a->grad_input + row * a->pieces * a->c;
        for (int64_t c = 0; c < a->c; c += LANES) {
            const int64_t n = tarn_min(LANES, a->c - c);
            const uint8_t *index = (const uint8_t *)a->index + row * a->c + c;
            const vec g = vec_load_upto((const float *)a->grad_output + row * a->c + c, n);
            for (int64_t j = 0; j < a->pieces; j++) {
                vec_store_upto(grad_input + j * a->c + c, vec_where_byte(index, n, j, g), n);
            }
        }
    }
    return TARN_OK;
}
VARIANT(maxout_backward, maxout, plan_maxout_backward, maxout_backward);
