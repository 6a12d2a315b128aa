/*
 * Philox 4x32 with 10 rounds, from J. K. Salmon, M. A. Moraes, R. O. Dror and D. E. Shaw, "Parallel random numbers: as
 * easy as 1, 2, 3" (2011): random words as a function of counter and key, without state, so that any of them can be had
 * alone.
 */
#ifndef TARN_PHILOX_H
#define TARN_PHILOX_H

#include <stdint.h>

#define PHILOX_ROUNDS 10
#define PHILOX_MULTIPLIER_0 UINT32_C(0xD2511F53)
#define PHILOX_MULTIPLIER_1 UINT32_C(0xCD9E8D57)
#define PHILOX_WEYL_0 UINT32_C(0x9E3779B9)
#define PHILOX_WEYL_1 UINT32_C(0xBB67AE85)

/* counter[4] becomes four random words. */
static inline void philox4x32(uint32_t *counter, uint32_t key0, uint32_t key1) {
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        uint64_t p0 = (uint64_t)PHILOX_MULTIPLIER_0 * counter[0], p1 = (uint64_t)PHILOX_MULTIPLIER_1 * counter[2];
        counter[0] = (uint32_t)(p1 >> 32) ^ counter[1] ^ key0;
        counter[1] = (uint32_t)p1;
        counter[2] = (uint32_t)(p0 >> 32) ^ counter[3] ^ key1;
        counter[3] = (uint32_t)p0;
        key0 += PHILOX_WEYL_0;
        key1 += PHILOX_WEYL_1;
    }
}

/*
 * Block i of what a layer draws in a step, four words:
 *
 *     philox({lo(i), hi(i) + hi(step), lo(step), lo(stream)}, {lo(seed), hi(seed)})
 *
 * where lo and hi are the lower and upper 32 bits. The upper half of step tells the parts of a batch apart.
 */
static inline void philox_block(uint32_t *word, uint64_t i, int64_t step, int64_t stream, int64_t seed) {
    word[0] = (uint32_t)i;
    word[1] = (uint32_t)(i >> 32) + (uint32_t)((uint64_t)step >> 32);
    word[2] = (uint32_t)step;
    word[3] = (uint32_t)stream;
    philox4x32(word, (uint32_t)seed, (uint32_t)((uint64_t)seed >> 32));
}

#endif
