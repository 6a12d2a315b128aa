/*
 * Products of BF16 matrices, summed in float. Depths come in pairs, which is how processors multiply them: B is packed in
 * panels of NR columns, for each pair of depths the two numbers of each column in turn. What differs between levels is
 * gemm_sums alone; tile registers do it in gemm_tiles.h, and vectors with the tile of gemm.h, to which a pair is one number.
 */
#ifndef TARN_GEMM_PAIRS_H
#define TARN_GEMM_PAIRS_H

#include "gemm/panel.h"
#include "simd/vec_element.h"

/* The rows and the panel that a tile multiplies. Both are whole DEPTH_UNITs deep: zero, and in A finite, beyond the sum. */
typedef struct {
    const element *a;  /* row i, depth p: a[i*pitch + p] */
    int64_t pitch;
    const element *b;  /* depth p, column j: b[p/2 * 2*lanes + 2*j + p%2] */
    int64_t lanes, depth;
} gemm_pairs;

#if defined(TARN_BUILD_AMX)
#include "gemm/gemm_tiles.h"
#else

#if !defined(TARN_BUILD_AVX512_BF16)
static inline vec pairs_fma(vec a, vec b, vec c) {
    return vec_fma(pairs_high(a), pairs_high(b), vec_fma(pairs_low(a), pairs_low(b), c));
}
#endif

#define GEMM_FMA pairs_fma
#include "gemm/gemm.h"

static inline void gemm_open(void) {}
static inline void gemm_close(void) {}

/* sums[i*lanes + j] = sum of a[i, p] * b[p, j] over the depth, for rows <= TILE_ROWS. */
static inline void gemm_sums(const gemm_pairs *t, int64_t rows, float *sums) {
    gemm_strip strip = {
        .a = (const float *)t->a,
        .pitch = t->pitch / 2,
        .b = (const float *)t->b,
        .depth = t->depth / 2,
        .runs = 1,
        .run_pitch = t->depth / 2,
        .c = sums,
        .row_pitch = t->lanes,
        .columns = t->lanes,
    };
    gemm_tiles[rows - 1][t->lanes / LANES - 1](&strip, 1);
}
#endif

#endif
