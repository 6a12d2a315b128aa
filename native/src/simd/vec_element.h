/*
 * Activations beside vectors of floats: vec_get and vec_put read and write LANES of them as a vec, and `elements` is a vector
 * of them that is moved without looking inside. In F32 builds both are vec.
 */
#ifndef TARN_VEC_ELEMENT_H
#define TARN_VEC_ELEMENT_H

#include "simd/vec.h"

#if !defined(TARN_BUILD_BF16)

#define ELEMENTS LANES
typedef vec elements;
static inline elements elements_zero(void) { return vec_zero(); }
static inline elements elements_load(const element *p) { return vec_load(p); }
static inline elements elements_load_n(const element *p, int64_t n) { return vec_load_n(p, n); }
static inline void elements_store(element *p, elements x) { vec_store(p, x); }
static inline void elements_store_n(element *p, elements x, int64_t n) { vec_store_n(p, x, n); }

static inline vec vec_get(const element *p, int64_t n) { return vec_load_upto(p, n); }
static inline void vec_put(element *p, vec x, int64_t n) { vec_store_upto(p, x, n); }

#elif defined(TARN_BUILD_AVX512)

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

#elif defined(TARN_BUILD_AVX2)

#define ELEMENTS 16
typedef __m256i elements;
static inline elements elements_zero(void) { return _mm256_setzero_si256(); }
static inline elements elements_load(const element *p) { return _mm256_loadu_si256((const __m256i *)p); }
/* AVX2 has no masks for 16 bits. */
static inline elements elements_load_n(const element *p, int64_t n) {
    element all[ELEMENTS] = {0};
    memcpy(all, p, (size_t)n * sizeof(element));
    return elements_load(all);
}
static inline void elements_store(element *p, elements x) { _mm256_storeu_si256((__m256i *)p, x); }
static inline void elements_store_n(element *p, elements x, int64_t n) {
    element all[ELEMENTS];
    elements_store(all, x);
    memcpy(p, all, (size_t)n * sizeof(element));
}

typedef __m128i halves;
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
static inline vec vec_get(const element *p, int64_t n) {
    return vec_widen(_mm256_castsi256_si128(n == LANES ? _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p))
                                                       : elements_load_n(p, n)));
}
static inline void vec_put(element *p, vec x, int64_t n) {
    if (n == LANES) {
        _mm_storeu_si128((__m128i *)p, vec_round(x));
    } else {
        elements_store_n(p, _mm256_castsi128_si256(vec_round(x)), n);
    }
}

#endif

#endif
