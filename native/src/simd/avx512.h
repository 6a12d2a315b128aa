/* The primitives with AVX-512 F, BW, DQ and VL. What each one does is said here, and holds for the other levels. */
#ifndef TARN_AVX512_H
#define TARN_AVX512_H

#include "simd/x86.h"

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

/* Choices between vectors, and the integers that pooling and dropout need. veci is LANES 32-bit integers. */
typedef __m512i veci;
typedef __mmask16 vmask; /* one truth for each lane */

/* Where x must replace best in a maximum in which the first of equals and the first NaN win. */
static inline vmask vec_wins(vec x, vec best) {
    return _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(best, best, _CMP_ORD_Q), x, best, _CMP_NLE_UQ);
}
/* yes where m, else no */
static inline vec vec_select(vmask m, vec yes, vec no) { return _mm512_mask_mov_ps(no, m, yes); }
static inline veci veci_select(vmask m, veci yes, veci no) { return _mm512_mask_mov_epi32(no, m, yes); }
/* The lowest byte of each of the first n <= LANES lanes. */
static inline void veci_store_bytes(uint8_t *p, veci x, int64_t n) {
    _mm512_mask_cvtepi32_storeu_epi8(p, n == LANES ? 0xFFFF : vec_mask(n), x);
}
/* x where p[lane] == byte, else 0; reads n <= LANES bytes */
static inline vec vec_where_byte(const uint8_t *p, int64_t n, int64_t byte, vec x) {
    __m128i bytes = n == LANES ? _mm_loadu_si128((const __m128i *)p) : _mm_maskz_loadu_epi8(vec_mask(n), p);
    return _mm512_maskz_mov_ps(_mm_cmpeq_epi8_mask(bytes, _mm_set1_epi8((char)byte)), x);
}
/* x where bit lane of bits is set, else 0 */
static inline vec vec_where_bits(uint64_t bits, vec x) { return _mm512_maskz_mov_ps((__mmask16)bits, x); }
/* yes in the lanes whose bit is set, no in the others */
static inline vec vec_choose_bits(uint64_t bits, vec yes, vec no) { return _mm512_mask_mov_ps(no, (__mmask16)bits, yes); }

/* Bit lane is set where x > low; where x < high. */
static inline uint64_t vec_bits_above(vec x, float low) {
    return _mm512_cmp_ps_mask(x, _mm512_set1_ps(low), _CMP_GT_OQ);
}
static inline uint64_t vec_bits_below(vec x, float high) {
    return _mm512_cmp_ps_mask(x, _mm512_set1_ps(high), _CMP_LT_OQ);
}

static inline veci veci_set1(uint32_t x) { return _mm512_set1_epi32((int)x); }
static inline veci veci_lanes(void) {
    return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
static inline veci veci_add(veci a, veci b) { return _mm512_add_epi32(a, b); }
static inline veci veci_or(veci a, veci b) { return _mm512_or_si512(a, b); }
static inline veci veci_xor(veci a, veci b) { return _mm512_xor_si512(a, b); }
static inline veci veci_shift_right(veci a, int by) { return _mm512_srli_epi32(a, (unsigned)by); }
/* Lower and upper halves of the 64-bit products. */
static inline veci veci_mul(veci a, veci b, veci *high) {
    veci even = _mm512_mul_epu32(a, b), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), b);
    *high = _mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
    return _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
}
/* bit where a < b, both below 2^31, else 0 */
static inline veci veci_where_less(veci a, veci b, uint32_t bit) {
    return _mm512_maskz_set1_epi32(_mm512_cmplt_epi32_mask(a, b), (int)bit);
}
/* Lanes below 16, four bits each, lane 0 lowest. */
static inline uint64_t veci_pack_nibbles(veci x) {
    __m128i bytes = _mm512_cvtepi64_epi8(_mm512_or_si512(x, _mm512_srli_epi64(x, 28)));
    return (uint64_t)_mm_cvtsi128_si64(bytes);
}

/* Half of the lanes of a vec, as doubles. */
typedef __m512d half;
static inline half half_load(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
static inline half half_low(vec x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
static inline half half_high(vec x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }
static inline vec half_join(half low, half high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
}
static inline half half_set1(double x) { return _mm512_set1_pd(x); }
static inline half half_fma(half a, half b, half c) { return _mm512_fmadd_pd(a, b, c); }

/* Within each part of four lanes: of the lower and of the upper two, lanes of a and b in turn, one by one and pair by pair. */
static inline vec vec_zip_low(vec a, vec b) { return _mm512_unpacklo_ps(a, b); }
static inline vec vec_zip_high(vec a, vec b) { return _mm512_unpackhi_ps(a, b); }
static inline vec vec_zip_pairs_low(vec a, vec b) {
    return _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}
static inline vec vec_zip_pairs_high(vec a, vec b) {
    return _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)));
}

#define EACH_PART(X) X(0) X(1) X(2) X(3)
#define PART(x, k) _mm512_extractf32x4_ps(x, k)
#define WITH_PART(x, part, k) _mm512_insertf32x4(x, part, k)

/* Transposes the 4x4 matrix of 128-bit parts of to[0], to[4], to[8], to[12]. */
static inline void vec_transpose_parts(vec *to) {
    vec even0 = _mm512_shuffle_f32x4(to[0], to[4], 0x88), odd0 = _mm512_shuffle_f32x4(to[0], to[4], 0xDD);
    vec even1 = _mm512_shuffle_f32x4(to[8], to[12], 0x88), odd1 = _mm512_shuffle_f32x4(to[8], to[12], 0xDD);
    to[0] = _mm512_shuffle_f32x4(even0, even1, 0x88);
    to[4] = _mm512_shuffle_f32x4(odd0, odd1, 0x88);
    to[8] = _mm512_shuffle_f32x4(even0, even1, 0xDD);
    to[12] = _mm512_shuffle_f32x4(odd0, odd1, 0xDD);
}

#if defined(TARN_BUILD_BF16)
#define ELEMENTS 32
typedef __m512i elements;
static inline __mmask32 elements_mask(int64_t n) { return (__mmask32)((UINT64_C(1) << n) - 1); }
static inline elements elements_zero(void) { return _mm512_setzero_si512(); }
static inline elements elements_load(const element *p) { return _mm512_loadu_si512(p); }
static inline elements elements_load_n(const element *p, int64_t n) {
    return _mm512_maskz_loadu_epi16(elements_mask(n), p);
}
static inline void elements_store(element *p, elements x) { _mm512_storeu_si512(p, x); }
static inline void elements_store_n(element *p, elements x, int64_t n) {
    _mm512_mask_storeu_epi16(p, elements_mask(n), x);
}

typedef __m256i halves; /* LANES of bf16 */
static inline vec vec_widen(halves x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
#if defined(TARN_BUILD_AVX512_BF16)
static inline halves vec_round(vec x) { return (__m256i)_mm512_cvtneps_pbh(x); }
#else
static inline halves vec_round(vec x) {
    const __m512i bits = _mm512_castps_si512(x), high = _mm512_srli_epi32(bits, 16);
    const __m512i odd = _mm512_and_si512(high, _mm512_set1_epi32(1));
    const __m512i up = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7FFF)), odd);
    const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
    const __m512i quiet = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    return _mm512_cvtepi32_epi16(_mm512_mask_mov_epi32(_mm512_srli_epi32(up, 16), nan, quiet));
}
#endif
static inline vec vec_get(const element *p, int64_t n) {
    return vec_widen(
            n == LANES ? _mm256_loadu_si256((const __m256i *)p) : _mm256_maskz_loadu_epi16(vec_mask(n), p));
}
static inline void vec_put(element *p, vec x, int64_t n) {
    if (n == LANES) {
        _mm256_storeu_si256((__m256i *)p, vec_round(x));
    } else {
        _mm256_mask_storeu_epi16(p, vec_mask(n), vec_round(x));
    }
}

/* The lower and the upper of the pairs of bf16 that a vec holds, as floats; or c + a1*b1 + a2*b2 at once. */
#if defined(TARN_BUILD_AVX512_BF16)
static inline vec pairs_fma(vec a, vec b, vec c) { return _mm512_dpbf16_ps(c, (__m512bh)a, (__m512bh)b); }
#else
static inline vec pairs_low(vec x) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(x), 16)); }
static inline vec pairs_high(vec x) {
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32((int)0xFFFF0000)));
}
#endif
#endif

#endif
