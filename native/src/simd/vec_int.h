/* Choices between vectors, and the integers that pooling and dropout need. veci is LANES 32-bit integers. */
#ifndef TARN_VEC_INT_H
#define TARN_VEC_INT_H

#include <string.h>

#include "simd/vec.h"

#if defined(TARN_BUILD_AVX512)

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

#elif defined(TARN_BUILD_AVX2)

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

#endif

/* The bits of n <= LANES lanes, in whole bytes from the lowest lane up. */
static inline uint64_t vec_load_bits(const uint8_t *p, int64_t n) {
    uint16_t bits = *p;
    if (n > 8) {
        memcpy(&bits, p, sizeof bits);
    }
    return bits;
}
static inline void vec_store_bits(uint8_t *p, uint64_t bits, int64_t n) {
    if (n > 8) {
        uint16_t both = (uint16_t)bits;
        memcpy(p, &both, sizeof both);
    } else {
        *p = (uint8_t)bits;
    }
}

#endif
