/* Dropout with LANES counters of Philox side by side; same bits as the reference. */
#include <string.h>

#include "dropout/dropout.h"
#include "simd/vec.h"

/* Elements that one round of LANES counters decides. */
#define STRIDE (4 * LANES)

/*
 * Bits of the STRIDE elements that begin at block, element 0 lowest. block is a multiple of LANES: adding a lane's number
 * to its low word cannot carry.
 */
static inline uint64_t kept_bits(const tarn_dropout_args *a, uint64_t step, uint64_t block, veci threshold) {
    uint64_t seed = (uint64_t)a->seed;
    uint32_t key0 = (uint32_t)seed, key1 = (uint32_t)(seed >> 32);
    veci c0 = veci_add(veci_set1((uint32_t)block), veci_lanes());
    veci c1 = veci_set1((uint32_t)(block >> 32) + (uint32_t)(step >> 32));
    veci c2 = veci_set1((uint32_t)step), c3 = veci_set1((uint32_t)a->stream);
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        veci high0, high1, low0 = veci_mul(c0, veci_set1(PHILOX_MULTIPLIER_0), &high0);
        veci low1 = veci_mul(c2, veci_set1(PHILOX_MULTIPLIER_1), &high1);
        c0 = veci_xor(veci_xor(high1, c1), veci_set1(key0));
        c1 = low1;
        c2 = veci_xor(veci_xor(high0, c3), veci_set1(key1));
        c3 = low0;
        key0 += PHILOX_WEYL_0;
        key1 += PHILOX_WEYL_1;
    }
    veci nibbles = veci_or(
            veci_or(veci_where_less(veci_shift_right(c0, 8), threshold, 1),
                    veci_where_less(veci_shift_right(c1, 8), threshold, 2)),
            veci_or(veci_where_less(veci_shift_right(c2, 8), threshold, 4),
                    veci_where_less(veci_shift_right(c3, 8), threshold, 8)));
    return veci_pack_nibbles(nibbles);
}

/* to[0 .. n) = kept ? from * scale + shift : dropped for n <= STRIDE; from may be to */
static inline void drop(dropout_map f, uint64_t bits, const float *from, float *to, int64_t n) {
    const vec scale = vec_set1(f.scale), shift = vec_set1(f.shift), dropped = vec_set1(f.dropped);
    for (int64_t done = 0; done < n; done += LANES, bits >>= LANES) {
        int64_t lanes = tarn_min(LANES, n - done);
        vec x = vec_load_upto(from + done, lanes);
        vec kept = f.copies ? x : vec_add(vec_mul(x, scale), shift);
        vec_store_upto(to + done, vec_choose_bits(bits, kept, dropped), lanes);
    }
}

static int32_t dropout_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_dropout_args *a = args;
    uint64_t step = (uint64_t)*(const int64_t *)a->step;
    veci threshold = veci_set1(dropout_threshold(a->keep));
    const dropout_map f = dropout_output(a);
    int64_t i, stop;
    for (dropout_range(a, begin, end, &i, &stop); i < stop; i += STRIDE) {
        int64_t n = tarn_min(STRIDE, stop - i);
        uint64_t bits = kept_bits(a, step, (uint64_t)i / 4, threshold);
        bits &= n < 64 ? ((uint64_t)1 << n) - 1 : ~(uint64_t)0;
        memcpy((uint8_t *)a->mask + i / 8, &bits, (size_t)tarn_ceil_div(n, 8)); /* x86-64 is little-endian */
        drop(f, bits, (const float *)a->input + i, (float *)a->output + i, n);
    }
    return TARN_OK;
}
VARIANT(dropout_forward, dropout, plan_dropout_forward, dropout_forward);

static int32_t dropout_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_dropout_args *a = args;
    const dropout_map f = dropout_gradient(a);
    int64_t i, stop;
    for (dropout_range(a, begin, end, &i, &stop); i < stop; i += STRIDE) {
        int64_t n = tarn_min(STRIDE, stop - i);
        uint64_t bits = 0;
        memcpy(&bits, (const uint8_t *)a->mask + i / 8, (size_t)tarn_ceil_div(n, 8));
        drop(f, bits, (const float *)a->grad_output + i, (float *)a->grad_input + i, n);
    }
    return TARN_OK;
}
VARIANT(dropout_backward, dropout, plan_dropout_backward, dropout_backward);
