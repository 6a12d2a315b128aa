/*
 * Products of few tiles. U would be made, stored and read again for a handful of rows; instead weights are transformed
 * along one axis only, into L1, and along the other in registers, where they are multiplied at once. Each element of M
 * is the same chain over the channels as in a matrix product, to the bit.
 */
#ifndef TARN_WINOGRAD_FEW_TILES_H
#define TARN_WINOGRAD_FEW_TILES_H

#include "winograd/windows.h"

/* V of few tiles has constant distances: [plane][tile][channel], a cache line between planes. */
#define FEW_PITCH WINOGRAD_FEW_STEP
#define FEW_PLANE (WINOGRAD_FEW_TILES * FEW_PITCH + 16)
/* Floats of the weights of a step and LANES destination channels, halfway: [row][channel][3][LANES], a row. */
#define FEW_ROW (WINOGRAD_FEW_STEP * 3 * LANES)

typedef struct {
    const float *windows; /* packed */
    float *half;
    const float *v;
    int64_t depth;        /* source channels */
    float *products;      /* M */
    int64_t pitch, plane; /* from tile to tile, and from plane to plane */
    int64_t accumulate;
} few_product;

WINOGRAD_INLINE void few_transform(const int m, const few_product *p) {
    const float *g = p->windows;
    float *to = p->half;
    for (int64_t c = 0; c < p->depth; c++, g += WINDOW_FLOATS, to += 3 * LANES) {
        vec half[WINOGRAD_POINTS][3];
        winograd_half_window(m, g, half);
#pragma GCC unroll 6
        for (int i = 0; i < m + 2; i++) {
#pragma GCC unroll 3
            for (int j = 0; j < 3; j++) {
                vec_store(to + i * FEW_ROW + j * LANES, half[i][j]);
            }
        }
    }
}

/* Row i of the planes. A part of the windows that follow these is fetched meanwhile. */
WINOGRAD_INLINE void few_multiply_row(const int m, const int tiles, const few_product *p, int64_t i) {
    const int points = m + 2, lines = (WINDOW + points - 1) / points;
    const float *v = p->v + i * points * FEW_PLANE, *half = p->half + i * FEW_ROW;
    const float *next = p->windows + p->depth * (WINDOW_FLOATS + i * lines * LANES);
    float *products = p->products + i * points * p->plane;
    vec sum[WINOGRAD_FEW_TILES][WINOGRAD_POINTS];
#pragma GCC unroll 4
    for (int t = 0; t < tiles; t++) {
#pragma GCC unroll 6
        for (int j = 0; j < points; j++) {
            sum[t][j] = p->accumulate ? vec_load(products + t * p->pitch + j * p->plane) : vec_zero();
        }
    }
    for (int64_t c = 0; c < p->depth; c++, v++, half += 3 * LANES, next += lines * LANES) {
#pragma GCC unroll 3
        for (int k = 0; k < lines; k++) {
            __builtin_prefetch(next + k * LANES, 0, 2);
        }
        const vec g[3] = {vec_load(half), vec_load(half + LANES), vec_load(half + 2 * LANES)};
        vec u[WINOGRAD_POINTS];
        winograd_weight(m, g, u);
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
    static void few_row_##m##_##tiles(const few_product *p, int64_t i) { few_multiply_row(m, tiles, p, i); }
FEW_TILES(2, 1) FEW_TILES(2, 2) FEW_TILES(2, 3) FEW_TILES(2, 4)
FEW_TILES(4, 1) FEW_TILES(4, 2) FEW_TILES(4, 3) FEW_TILES(4, 4)

/* [m / 4][tiles - 1] */
static void (*const few_rows[2][WINOGRAD_FEW_TILES])(const few_product *, int64_t) = {
    {few_row_2_1, few_row_2_2, few_row_2_3, few_row_2_4}, {few_row_4_1, few_row_4_2, few_row_4_3, few_row_4_4}};

/* M = V U of so many tiles, or M += V U. */
WINOGRAD_INLINE void few_multiply(const int m, int64_t tiles, const few_product *p) {
    few_transform(m, p);
    for (int64_t i = 0; i < m + 2; i++) {
        few_rows[m / 4][tiles - 1](p, i);
    }
}

#endif
