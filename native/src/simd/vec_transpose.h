/* Transposes a square tile of LANES vectors in registers. */
#ifndef TARN_VEC_TRANSPOSE_H
#define TARN_VEC_TRANSPOSE_H

#include "simd/vec.h"

#if defined(TARN_BUILD_AVX512)

#define TILE_PS(name) _mm512_##name##_ps
#define TILE_PD(name, a, b) _mm512_castpd_ps(_mm512_##name##_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))

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

static inline void vec_transpose_parts(vec *to) {
    vec first = to[0], second = to[4];
    to[0] = _mm256_permute2f128_ps(first, second, 0x20);
    to[4] = _mm256_permute2f128_ps(first, second, 0x31);
}

#endif

/* Lane i of row j becomes lane j of row i: first within 128-bit parts, four rows at a time, then the parts. */
static inline void vec_transpose(vec *row) {
    for (int g = 0; g < LANES; g += 4) {
        vec low01 = TILE_PS(unpacklo)(row[g], row[g + 1]), high01 = TILE_PS(unpackhi)(row[g], row[g + 1]);
        vec low23 = TILE_PS(unpacklo)(row[g + 2], row[g + 3]), high23 = TILE_PS(unpackhi)(row[g + 2], row[g + 3]);
        row[g] = TILE_PD(unpacklo, low01, low23);
        row[g + 1] = TILE_PD(unpackhi, low01, low23);
        row[g + 2] = TILE_PD(unpacklo, high01, high23);
        row[g + 3] = TILE_PD(unpackhi, high01, high23);
    }
    for (int k = 0; k < 4; k++) {
        vec_transpose_parts(row + k);
    }
}

#endif
