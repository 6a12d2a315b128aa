/*
 * The few vector primitives that kernels are written in, one definition for each level. A new instruction set is one more
 * branch here and a row in CMakeLists.txt; the algorithms stay as they are.
 *
 * vec is LANES floats. The _n forms touch the first n < LANES floats only; loads fill the rest with zero.
 */
#ifndef TARN_VEC_H
#define TARN_VEC_H

#include <immintrin.h>

#include "kernel.h"

/* The sum of eight floats: halves are added until one is left. */
static inline float vec_sum8(__m256 x) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}

#if defined(TARN_BUILD_AVX512)

#define LANES 16
typedef __m512 vec;

static inline __mmask16 vec_mask(int64_t n) { return (__mmask16)((1u << n) - 1u); }
static inline vec vec_zero(void) { return _mm512_setzero_ps(); }
/* A register cleared on its own. Of many zeros compilers copy all from one, and copies wait for units that add. */
static inline vec vec_zero_apart(void) {
    vec x;
    __asm__ volatile("vpxord %0, %0, %0" : "=v"(x));
    return x;
}
static inline vec vec_set1(float x) { return _mm512_set1_ps(x); }
static inline vec vec_load(const float *p) { return _mm512_loadu_ps(p); }
static inline vec vec_load_n(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(vec_mask(n), p); }
static inline void vec_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
static inline void vec_store_n(float *p, vec x, int64_t n) { _mm512_mask_storeu_ps(p, vec_mask(n), x); }
/* past the caches, to an aligned address */
static inline void vec_stream(float *p, vec x) { _mm512_stream_ps(p, x); }
static inline vec vec_add(vec a, vec b) { return _mm512_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm512_div_ps(a, b); }
static inline vec vec_sqrt(vec x) { return _mm512_sqrt_ps(x); }
/* a * b + c, rounded once */
static inline vec vec_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
/* of NaN and a number the second operand */
static inline vec vec_max(vec a, vec b) { return _mm512_max_ps(a, b); }
static inline vec vec_min(vec a, vec b) { return _mm512_min_ps(a, b); }
static inline vec vec_abs(vec x) { return _mm512_abs_ps(x); }
/* |x| with the sign of y */
static inline vec vec_with_sign(vec x, vec y) {
    return _mm512_castsi512_ps(_mm512_ternarylogic_epi32(
            _mm512_castps_si512(x), _mm512_castps_si512(y), _mm512_set1_epi32(INT32_MAX), 0xE4));
}
/* to the nearest whole number, of two as near to the even one */
static inline vec vec_nearest(vec x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
/* x * 2^n for whole n in [-252, 254] */
static inline vec vec_scale(vec x, vec n) { return _mm512_scalef_ps(x, n); }
/* yes where x > 0, else no */
static inline vec vec_where_positive(vec x, vec yes, vec no) {
    return _mm512_mask_mov_ps(no, _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_GT_OQ), yes);
}
/* the first n lanes of x, else 0 */
static inline vec vec_first(vec x, int64_t n) { return _mm512_maskz_mov_ps(vec_mask(n), x); }
/* the sum of all lanes, in an order that is always the same */
static inline float vec_sum(vec x) {
    return vec_sum8(_mm256_add_ps(_mm512_castps512_ps256(x), _mm512_extractf32x8_ps(x, 1)));
}
/* x where low < y, else 0 */
static inline vec vec_where_above(vec y, float low, vec x) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_set1_ps(low), _CMP_GT_OQ), x);
}
/* x where y < high, else 0 */
static inline vec vec_where_below(vec y, float high, vec x) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_set1_ps(high), _CMP_LT_OQ), x);
}
/* x where y is not 0, NaN included, else 0 */
static inline vec vec_where_nonzero(vec y, vec x) {
    return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(y, _mm512_setzero_ps(), _CMP_NEQ_UQ), x);
}

#elif defined(TARN_BUILD_AVX2)

#define LANES 8
typedef __m256 vec;

static inline __m256i vec_mask(int64_t n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
static inline vec vec_zero(void) { return _mm256_setzero_ps(); }
static inline vec vec_zero_apart(void) {
    vec x;
    __asm__ volatile("vxorps %0, %0, %0" : "=x"(x));
    return x;
}
static inline vec vec_set1(float x) { return _mm256_set1_ps(x); }
static inline vec vec_load(const float *p) { return _mm256_loadu_ps(p); }
static inline vec vec_load_n(const float *p, int64_t n) { return _mm256_maskload_ps(p, vec_mask(n)); }
static inline void vec_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
static inline void vec_store_n(float *p, vec x, int64_t n) { _mm256_maskstore_ps(p, vec_mask(n), x); }
static inline void vec_stream(float *p, vec x) { _mm256_stream_ps(p, x); }
static inline vec vec_add(vec a, vec b) { return _mm256_add_ps(a, b); }
static inline vec vec_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
static inline vec vec_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
static inline vec vec_div(vec a, vec b) { return _mm256_div_ps(a, b); }
static inline vec vec_sqrt(vec x) { return _mm256_sqrt_ps(x); }
static inline vec vec_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
static inline vec vec_max(vec a, vec b) { return _mm256_max_ps(a, b); }
static inline vec vec_min(vec a, vec b) { return _mm256_min_ps(a, b); }
static inline vec vec_abs(vec x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
static inline vec vec_with_sign(vec x, vec y) {
    return _mm256_or_ps(vec_abs(x), _mm256_and_ps(_mm256_set1_ps(-0.0f), y));
}
static inline vec vec_nearest(vec x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline __m256 vec_power_of_two(__m256i n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}
static inline vec vec_scale(vec x, vec n) { /* in two steps: 2^n alone may be out of range */
    const __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    return _mm256_mul_ps(_mm256_mul_ps(x, vec_power_of_two(half)), vec_power_of_two(_mm256_sub_epi32(whole, half)));
}
static inline vec vec_where_positive(vec x, vec yes, vec no) {
    return _mm256_blendv_ps(no, yes, _mm256_cmp_ps(x, _mm256_setzero_ps(), _CMP_GT_OQ));
}
static inline vec vec_first(vec x, int64_t n) { return _mm256_and_ps(_mm256_castsi256_ps(vec_mask(n)), x); }
static inline float vec_sum(vec x) { return vec_sum8(x); }
static inline vec vec_where_above(vec y, float low, vec x) {
    return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_set1_ps(low), _CMP_GT_OQ), x);
}
static inline vec vec_where_below(vec y, float high, vec x) {
    return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_set1_ps(high), _CMP_LT_OQ), x);
}
static inline vec vec_where_nonzero(vec y, vec x) {
    return _mm256_and_ps(_mm256_cmp_ps(y, _mm256_setzero_ps(), _CMP_NEQ_UQ), x);
}

#endif

/* other threads see what was streamed before */
static inline void vec_stream_end(void) { _mm_sfence(); }
static inline int vec_aligned(const float *p) { return (uintptr_t)p % sizeof(vec) == 0; }
/* max(0, x) and min(6, x); a NaN passes through */
static inline vec vec_relu(vec x) { return vec_max(vec_zero(), x); }
static inline vec vec_min6(vec x) { return vec_min(vec_set1(6), x); }

/*
 * Asks for the cache line of *p ahead of its use: to read it, or to overwrite it. In assembly, because GCC finds that a
 * function that only prefetches has no effect, and drops calls of it.
 */
static inline void vec_prefetch(const float *p) { __asm__ volatile("prefetcht0 %0" : : "m"(*p)); }
static inline void vec_prefetch_write(float *p) { __asm__ volatile("prefetchw %0" : : "m"(*p)); }

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
