/*
 * Products of few tiles. U would be made, stored and read again for a handful of rows; instead weights are transformed
 * in registers, a row of planes at a time, and multiplied at once. Each element of M is the same chain over the
 * channels as in a matrix product, to the bit.
 */
#ifndef TARN_WINOGRAD_FEW_TILES_H
#define TARN_WINOGRAD_FEW_TILES_H

#include "winograd/windows.h"

/* V of few tiles has constant distances: [plane][tile][channel], a cache line between planes. */
#define FEW_PITCH WINOGRAD_FEW_STEP
#define FEW_PLANE (WINOGRAD_FEW_TILES * FEW_PITCH + 16)

typedef struct {
    const float *windows; /* packed */
    const float *v;
    int64_t depth;        /* source channels */
    float *products;      /* M */
    int64_t pitch, plane; /* from tile to tile, and from plane to plane */
    int64_t accumulate;
} few_product;

/*
 * Row i of the planes. Windows are read from L1, but for row 0. The next ones are fetched meanwhile, each line once.
 */
WINOGRAD_INLINE void few_multiply_row(const int m, const int tiles, const int i, const few_product *p) {
    const int points = m + 2, line = i * WINDOW / points, lines = (i + 1) * WINDOW / points - line;
    const float *v = p->v + i * points * FEW_PLANE, *g = p->windows;
    const float *next = g + p->depth * (WINDOW_FLOATS + line * LANES);
    float *products = p->products + i * points * p->plane;
    vec sum[WINOGRAD_FEW_TILES][WINOGRAD_POINTS];
#pragma GCC unroll 4
    for (int t = 0; t < tiles; t++) {
#pragma GCC unroll 6
        for (int j = 0; j < points; j++) {
            sum[t][j] = p->accumulate ? vec_load(products + t * p->pitch + j * p->plane) : vec_zero();
        }
    }
    for (int64_t c = 0; c < p->depth; c++, v++, g += WINDOW_FLOATS, next += lines * LANES) {
#pragma GCC unroll 3
        for (int k = 0; k < lines; k++) {
            __builtin_prefetch(next + k * LANES, 0, 2);
        }
        vec u[WINOGRAD_POINTS];
        winograd_window_row(m, i, g, u);
#pragma GCC unroll 4
        for (int t = 0; t < tiles; t++) {
#pragma GCC unroll 6
            for (int j = 0; j < points; j++) {
                sum[t][j] = vec_fma(vec_set1(v[t * FEW_PITCH + j * FEW_PLANE]), u[j], sum[t][j]);
            }
        }
    }
#pragma GCC unroll 4
    for (int t = 0; t < tiles; t++) {
#pragma GCC unroll 6
        for (int j = 0; j < points; j++) {
            vec_store(products + t * p->pitch + j * p->plane, sum[t][j]);
        }
    }
}

#define FEW_TILES(m, tiles) \
    static void few_multiply_##m##_##tiles(const few_product *p) { \
        _Pragma("GCC unroll 6") for (int i = 0; i < m + 2; i++) { \
            few_multiply_row(m, tiles, i, p); \
        } \
    }
FEW_TILES(2, 1) FEW_TILES(2, 2) FEW_TILES(2, 3) FEW_TILES(2, 4)
FEW_TILES(4, 1) FEW_TILES(4, 2) FEW_TILES(4, 3) FEW_TILES(4, 4)

/* M = V U of so many tiles, or M += V U: [m / 4][tiles - 1]. */
static void (*const few_multiply[2][WINOGRAD_FEW_TILES])(const few_product *) = {
    {few_multiply_2_1, few_multiply_2_2, few_multiply_2_3, few_multiply_2_4},
    {few_multiply_4_1, few_multiply_4_2, few_multiply_4_3, few_multiply_4_4}};

#endif
