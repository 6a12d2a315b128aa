/*
 * The few vector primitives that kernels are written in, one file for each instruction set. A new one is its file, a branch
 * here, its name in kernel.h and variants.def, a column of cpu/blocks.h and a row in CMakeLists.txt; the algorithms stay.
 *
 * vec is LANES floats. The _n forms touch the first n < LANES floats only; loads fill the rest with zero.
 */
#ifndef TARN_VEC_H
#define TARN_VEC_H

#if defined(TARN_BUILD_AVX512)
#include "simd/avx512.h"
#elif defined(TARN_BUILD_AVX2)
#include "simd/avx2.h"
#else
#include "simd/neon.h"
#endif

static inline int vec_aligned(const float *p) { return (uintptr_t)p % sizeof(vec) == 0; }
/* max(0, x) and min(6, x); a NaN passes through */
static inline vec vec_relu(vec x) { return vec_max(vec_zero(), x); }
static inline vec vec_min6(vec x) { return vec_min(vec_set1(6), x); }

/* n is LANES or less */
static inline vec vec_load_upto(const float *p, int64_t n) { return n == LANES ? vec_load(p) : vec_load_n(p, n); }
static inline void vec_store_upto(float *p, vec x, int64_t n) {
    if (n == LANES) {
        vec_store(p, x);
    } else {
        vec_store_n(p, x, n);
    }
}

#endif
