/* Transposes in registers: square tiles of LANES vectors, and LANES pixels of four channels. */
#ifndef TARN_VEC_TRANSPOSE_H
#define TARN_VEC_TRANSPOSE_H

#include "simd/vec.h"

#if defined(TARN_BUILD_AVX512)

#define TILE_PS(name) _mm512_##name##_ps
#define TILE_PD(name, a, b) _mm512_castpd_ps(_mm512_##name##_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))

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

#elif defined(TARN_BUILD_AVX2)

#define TILE_PS(name) _mm256_##name##_ps
#define TILE_PD(name, a, b) _mm256_castpd_ps(_mm256_##name##_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)))
#define EACH_PART(X) X(0) X(1)
#define PART(x, k) _mm256_extractf128_ps(x, k)
#define WITH_PART(x, part, k) _mm256_insertf128_ps(x, part, k)

static inline void vec_transpose_parts(vec *to) {
    vec first = to[0], second = to[4];
    to[0] = _mm256_permute2f128_ps(first, second, 0x20);
    to[4] = _mm256_permute2f128_ps(first, second, 0x31);
}

#endif

/* Within each 128-bit part, lane i of row j becomes lane j of row i, for four rows. */
static inline void vec_transpose_quad(vec *row) {
    vec low01 = TILE_PS(unpacklo)(row[0], row[1]), high01 = TILE_PS(unpackhi)(row[0], row[1]);
    vec low23 = TILE_PS(unpacklo)(row[2], row[3]), high23 = TILE_PS(unpackhi)(row[2], row[3]);
    row[0] = TILE_PD(unpacklo, low01, low23);
    row[1] = TILE_PD(unpackhi, low01, low23);
    row[2] = TILE_PD(unpacklo, high01, high23);
    row[3] = TILE_PD(unpackhi, high01, high23);
}

/* Four channels of LANES pixels, one channel in a row, to p + pixel*pitch, pixels in ascending order. */
static inline void vec_store_quad(float *p, int64_t pitch, vec *row) {
    vec_transpose_quad(row);
    const int64_t twice = 2 * pitch, thrice = 3 * pitch;
#define STORE_PART(k) \
    _mm_storeu_ps(p, PART(row[0], k)); \
    _mm_storeu_ps(p + pitch, PART(row[1], k)); \
    _mm_storeu_ps(p + twice, PART(row[2], k)); \
    _mm_storeu_ps(p + thrice, PART(row[3], k)); \
    p += 4 * pitch;
    EACH_PART(STORE_PART)
#undef STORE_PART
}

/* The reverse: reads four floats of each pixel. */
static inline void vec_load_quad(const float *p, int64_t pitch, vec *row) {
    row[0] = row[1] = row[2] = row[3] = vec_zero();
    const int64_t twice = 2 * pitch, thrice = 3 * pitch;
#define LOAD_PART(k) \
    row[0] = WITH_PART(row[0], _mm_loadu_ps(p), k); \
    row[1] = WITH_PART(row[1], _mm_loadu_ps(p + pitch), k); \
    row[2] = WITH_PART(row[2], _mm_loadu_ps(p + twice), k); \
    row[3] = WITH_PART(row[3], _mm_loadu_ps(p + thrice), k); \
    p += 4 * pitch;
    EACH_PART(LOAD_PART)
#undef LOAD_PART
    vec_transpose_quad(row);
}

/* Lane i of row j becomes lane j of row i: first within 128-bit parts, four rows at a time, then the parts. */
static inline void vec_transpose(vec *row) {
    for (int g = 0; g < LANES; g += 4) {
        vec_transpose_quad(row + g);
    }
    for (int k = 0; k < 4; k++) {
        vec_transpose_parts(row + k);
    }
}

#endif
