/* Transposes in registers: square tiles of LANES vectors, and LANES pixels of four channels. */
#ifndef TARN_VEC_TRANSPOSE_H
#define TARN_VEC_TRANSPOSE_H

#include "simd/vec.h"

/* Within each 128-bit part, lane i of row j becomes lane j of row i, for four rows. */
static inline void vec_transpose_quad(vec *row) {
    vec low01 = vec_zip_low(row[0], row[1]), high01 = vec_zip_high(row[0], row[1]);
    vec low23 = vec_zip_low(row[2], row[3]), high23 = vec_zip_high(row[2], row[3]);
    row[0] = vec_zip_pairs_low(low01, low23);
    row[1] = vec_zip_pairs_high(low01, low23);
    row[2] = vec_zip_pairs_low(high01, high23);
    row[3] = vec_zip_pairs_high(high01, high23);
}

/* Four channels of LANES pixels, one channel in a row, to p + pixel*pitch, pixels in ascending order. */
static inline void vec_store_quad(float *p, int64_t pitch, vec *row) {
    vec_transpose_quad(row);
    const int64_t twice = 2 * pitch, thrice = 3 * pitch;
#define STORE_PART(k) \
    quad_store(p, PART(row[0], k)); \
    quad_store(p + pitch, PART(row[1], k)); \
    quad_store(p + twice, PART(row[2], k)); \
    quad_store(p + thrice, PART(row[3], k)); \
    p += 4 * pitch;
    EACH_PART(STORE_PART)
#undef STORE_PART
}

/* The reverse: reads four floats of each pixel. */
static inline void vec_load_quad(const float *p, int64_t pitch, vec *row) {
    row[0] = row[1] = row[2] = row[3] = vec_zero();
    const int64_t twice = 2 * pitch, thrice = 3 * pitch;
#define LOAD_PART(k) \
    row[0] = WITH_PART(row[0], quad_load(p), k); \
    row[1] = WITH_PART(row[1], quad_load(p + pitch), k); \
    row[2] = WITH_PART(row[2], quad_load(p + twice), k); \
    row[3] = WITH_PART(row[3], quad_load(p + thrice), k); \
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
    for (int k = 0; k < 4 && LANES > 4; k++) {
        vec_transpose_parts(row + k);
    }
}

#endif
