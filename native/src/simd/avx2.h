/* The primitives with AVX2 and FMA. */
#ifndef TARN_AVX2_H
#define TARN_AVX2_H

#include "simd/x86.h"

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

typedef __m256i veci;
typedef __m256 vmask;

static inline vmask vec_wins(vec x, vec best) {
    return _mm256_and_ps(_mm256_cmp_ps(best, best, _CMP_ORD_Q), _mm256_cmp_ps(x, best, _CMP_NLE_UQ));
}
static inline vec vec_select(vmask m, vec yes, vec no) { return _mm256_blendv_ps(no, yes, m); }
static inline veci veci_select(vmask m, veci yes, veci no) {
    return _mm256_blendv_epi8(no, yes, _mm256_castps_si256(m));
}
static inline void veci_store_bytes(uint8_t *p, veci x, int64_t n) {
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
    int64_t bytes = _mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    if (n == LANES) {
        memcpy(p, &bytes, LANES);
    } else {
        memcpy(p, &bytes, (size_t)n);
    }
}
static inline vec vec_where_byte(const uint8_t *p, int64_t n, int64_t byte, vec x) {
    int64_t bytes = 0;
    if (n == LANES) {
        memcpy(&bytes, p, LANES);
    } else {
        memcpy(&bytes, p, (size_t)n);
    }
    __m128i equal = _mm_cmpeq_epi8(_mm_cvtsi64_si128(bytes), _mm_set1_epi8((char)byte));
    return _mm256_and_ps(_mm256_castsi256_ps(_mm256_cvtepi8_epi32(equal)), x);
}
static inline vec vec_lanes_of_bits(uint64_t bits) {
    __m256i each = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256i set = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)(uint32_t)bits), each), each);
    return _mm256_castsi256_ps(set);
}
static inline vec vec_where_bits(uint64_t bits, vec x) { return _mm256_and_ps(vec_lanes_of_bits(bits), x); }
static inline vec vec_choose_bits(uint64_t bits, vec yes, vec no) {
    return _mm256_blendv_ps(no, yes, vec_lanes_of_bits(bits));
}

static inline uint64_t vec_bits_above(vec x, float low) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_set1_ps(low), _CMP_GT_OQ));
}
static inline uint64_t vec_bits_below(vec x, float high) {
    return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(x, _mm256_set1_ps(high), _CMP_LT_OQ));
}

static inline veci veci_set1(uint32_t x) { return _mm256_set1_epi32((int)x); }
static inline veci veci_lanes(void) { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
static inline veci veci_add(veci a, veci b) { return _mm256_add_epi32(a, b); }
static inline veci veci_or(veci a, veci b) { return _mm256_or_si256(a, b); }
static inline veci veci_xor(veci a, veci b) { return _mm256_xor_si256(a, b); }
static inline veci veci_shift_right(veci a, int by) { return _mm256_srli_epi32(a, by); }
static inline veci veci_mul(veci a, veci b, veci *high) {
    veci even = _mm256_mul_epu32(a, b), odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), b);
    *high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}
static inline veci veci_where_less(veci a, veci b, uint32_t bit) {
    return _mm256_and_si256(_mm256_cmpgt_epi32(b, a), _mm256_set1_epi32((int)bit));
}
static inline uint64_t veci_pack_nibbles(veci x) {
    __m256i pairs = _mm256_or_si256(x, _mm256_srli_epi64(x, 28));
    __m256i first = _mm256_setr_epi8(0, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
            -1, -1, 0, 8, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    __m256i bytes = _mm256_shuffle_epi8(pairs, first);
    return (uint32_t)_mm_cvtsi128_si32(_mm_or_si128(_mm256_castsi256_si128(bytes), _mm256_extracti128_si256(bytes, 1)));
}

typedef __m256d half;
static inline half half_load(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
static inline half half_low(vec x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
static inline half half_high(vec x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
static inline vec half_join(half low, half high) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low)), _mm256_cvtpd_ps(high), 1);
}
static inline half half_set1(double x) { return _mm256_set1_pd(x); }
static inline half half_fma(half a, half b, half c) { return _mm256_fmadd_pd(a, b, c); }

static inline vec vec_zip_low(vec a, vec b) { return _mm256_unpacklo_ps(a, b); }
static inline vec vec_zip_high(vec a, vec b) { return _mm256_unpackhi_ps(a, b); }
static inline vec vec_zip_pairs_low(vec a, vec b) {
    return _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}
static inline vec vec_zip_pairs_high(vec a, vec b) {
    return _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)));
}

#define EACH_PART(X) X(0) X(1)
#define PART(x, k) _mm256_extractf128_ps(x, k)
#define WITH_PART(x, part, k) _mm256_insertf128_ps(x, part, k)

static inline void vec_transpose_parts(vec *to) {
    vec first = to[0], second = to[4];
    to[0] = _mm256_permute2f128_ps(first, second, 0x20);
    to[4] = _mm256_permute2f128_ps(first, second, 0x31);
}

#if defined(TARN_BUILD_BF16)
#define ELEMENTS 16
typedef __m256i elements;
static inline elements elements_zero(void) { return _mm256_setzero_si256(); }
static inline elements elements_load(const element *p) { return _mm256_loadu_si256((const __m256i *)p); }
static inline void elements_store(element *p, elements x) { _mm256_storeu_si256((__m256i *)p, x); }

typedef __m128i halves;
static inline halves halves_load(const element *p) { return _mm_loadu_si128((const __m128i *)p); }
static inline void halves_store(element *p, halves x) { _mm_storeu_si128((__m128i *)p, x); }
static inline halves halves_of(elements x) { return _mm256_castsi256_si128(x); }
static inline elements elements_of(halves x) { return _mm256_castsi128_si256(x); }
static inline vec vec_widen(halves x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16)); }
static inline halves vec_round(vec x) {
    const __m256i bits = _mm256_castps_si256(x), high = _mm256_srli_epi32(bits, 16);
    const __m256i odd = _mm256_and_si256(high, _mm256_set1_epi32(1));
    const __m256i up = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7FFF)), odd);
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    const __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    const __m256i rounded = _mm256_blendv_epi8(_mm256_srli_epi32(up, 16), quiet, nan);
    return _mm_packus_epi32(_mm256_castsi256_si128(rounded), _mm256_extracti128_si256(rounded, 1));
}
static inline vec pairs_low(vec x) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(x), 16)); }
static inline vec pairs_high(vec x) {
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32((int)0xFFFF0000)));
}
#endif

#endif
