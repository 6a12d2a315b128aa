/*
 * Which elements dropout keeps. Philox 4x32 with 10 rounds, from J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2,
 * 3" (2011): a function of counter and key without state, so that any element's number can be had alone.
 *
 * Element i = 4 * block + k uses word k of philox({lo(block), hi(block), lo(step), lo(stream)}, {lo(seed), hi(seed)}), where lo
 * and hi are the lower and upper 32 bits. It is kept where (word >> 8) * 2^-24, uniform in [0, 1), is less than keep.
 */
#ifndef TARN_DROPOUT_H
#define TARN_DROPOUT_H

#include <math.h>

#include "kernel.h"

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

/* uniform < keep is the same as (word >> 8) < this integer, in 1 .. 2^24 */
static inline uint32_t dropout_threshold(double keep) { return (uint32_t)ceil(keep * 0x1p24); }

/* Elements in one task: a multiple of 8, so that tasks share no byte of the mask, and of the blocks of every vector width. */
#define DROPOUT_TASK ((int64_t)1 << 15)

static inline int32_t dropout_plan(const tarn_dropout_args *a, tarn_plan *plan, const void *from, const void *to) {
    if (TARN_PRODUCT(a->n, a->count) < 0 || a->count < 1 || !(a->keep > 0 && a->keep <= 1) || !a->mask || !from || !to) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, tarn_ceil_div(a->n * a->count, DROPOUT_TASK));
}

static int32_t plan_dropout_forward(const void *args, tarn_plan *plan) {
    const tarn_dropout_args *a = args;
    return a->step ? dropout_plan(a, plan, a->input, a->output) : TARN_BAD_ARGUMENT;
}

static int32_t plan_dropout_backward(const void *args, tarn_plan *plan) {
    const tarn_dropout_args *a = args;
    return dropout_plan(a, plan, a->grad_output, a->grad_input);
}

/* The elements of tasks [begin, end): from *i to *stop. */
static inline void dropout_range(const tarn_dropout_args *a, int64_t begin, int64_t end, int64_t *i, int64_t *stop) {
    *i = begin * DROPOUT_TASK;
    *stop = tarn_min(end * DROPOUT_TASK, a->n * a->count);
}

#endif
