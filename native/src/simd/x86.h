/* What AVX2 and AVX-512 share. */
#ifndef TARN_X86_H
#define TARN_X86_H

#include <immintrin.h>

#include "kernel.h"

/* The sum of eight floats: halves are added until one is left. */
static inline float vec_sum8(__m256 x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

/*
 * Asks for the cache line of *p ahead of its use: to read it, soon or only from the second-level cache, or to overwrite it.
 * In assembly, because GCC finds that a function that only prefetches has no effect, and drops calls of it; and it would
 * turn a prefetch for writing into one for reading, which asks the other cores for the line once more when it is written.
 * Processors without it take it for no operation.
 */
static inline void vec_prefetch(const float *p) { __asm__ volatile("prefetcht0 %0" : : "m"(*p)); }
static inline void vec_prefetch_far(const float *p) { __asm__ volatile("prefetcht1 %0" : : "m"(*p)); }
static inline void vec_prefetch_write(const float *p) { __asm__ volatile("prefetchw %0" : : "m"(*p)); }

/* other threads see what was streamed before */
static inline void vec_stream_end(void) { _mm_sfence(); }

/* Four lanes of a vec. */
typedef __m128 quad;
static inline quad quad_load(const float *p) { return _mm_loadu_ps(p); }
static inline void quad_store(float *p, quad x) { _mm_storeu_ps(p, x); }

#endif
