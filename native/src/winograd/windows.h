/* Weights on their way to U: windows of 3x3 packed by destination channels, and their transform. */
#ifndef TARN_WINOGRAD_WINDOWS_H
#define TARN_WINOGRAD_WINDOWS_H

#include "simd/vec_transpose.h"
#include "winograd/transforms.h"

#define WINDOW 9 /* taps */
/* Floats of a source channel and LANES destination channels, packed. */
#define WINDOW_FLOATS (WINDOW * LANES)

/*
 * Windows of source channels [c, c + count), LANES or fewer, and of n <= LANES destination channels from `column` on:
 * [source channel][tap][LANES], the rest of a vector is zero.
 */
static inline void winograd_pack_forward(
        const tarn_conv2d_args *a, int64_t c, int64_t count, int64_t column, int64_t n, float *to) {
    for (int64_t t = 0; t < WINDOW; t++) {
        const float *row = (const float *)a->weight + (t * a->ic + c) * a->oc + column;
        for (int64_t i = 0; i < count; i++) {
            vec_store(to + i * WINDOW_FLOATS + t * LANES, vec_load_upto(row + i * a->oc, n));
        }
    }
}

/* The same for the gradient: windows are turned round, and rows of the weights are destination channels. */
static inline void winograd_pack_backward(
        const tarn_conv2d_args *a, int64_t c, int64_t count, int64_t column, int64_t n, float *to) {
    for (int64_t t = 0; t < WINDOW; t++) {
        const float *row = (const float *)a->weight + (t * a->ic + column) * a->oc + c;
        vec turned[LANES];
        for (int64_t i = 0; i < LANES; i++) {
            turned[i] = i < n ? vec_load_upto(row + i * a->oc, count) : vec_zero();
        }
        vec_transpose(turned);
        for (int64_t i = 0; i < count; i++) {
            vec_store(to + i * WINDOW_FLOATS + (WINDOW - 1 - t) * LANES, turned[i]);
        }
    }
}

/* Row i of the planes of U = G g G^T, of the packed window g of one source channel. */
WINOGRAD_INLINE void winograd_window_row(const int m, const int i, const float *g, vec *u) {
    vec half[3];
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++) {
        const vec x[3] = {vec_load(g + j * LANES), vec_load(g + (3 + j) * LANES), vec_load(g + (6 + j) * LANES)};
        half[j] = winograd_weight_at(m, i, x);
    }
    winograd_weight(m, half, u);
}

/* The same of so many source channels, which go `lanes` apart. */
WINOGRAD_INLINE void winograd_windows_row(
        const int m, const int i, const float *g, int64_t count, float *to, int64_t lanes, int64_t plane) {
    vec u[WINOGRAD_POINTS];
    for (int64_t c = 0; c < count; c++, g += WINDOW_FLOATS, to += lanes) {
        winograd_window_row(m, i, g, u);
#pragma GCC unroll 6
        for (int j = 0; j < m + 2; j++) {
            vec_store(to + j * plane, u[j]);
        }
    }
}

#define WINDOWS_ROW(m, i) \
    static void winograd_windows_##m##_##i(const float *g, int64_t count, float *to, int64_t lanes, int64_t plane) { \
        winograd_windows_row(m, i, g, count, to, lanes, plane); \
    }
WINDOWS_ROW(2, 0) WINDOWS_ROW(2, 1) WINDOWS_ROW(2, 2) WINDOWS_ROW(2, 3)
WINDOWS_ROW(4, 0) WINDOWS_ROW(4, 1) WINDOWS_ROW(4, 2) WINDOWS_ROW(4, 3) WINDOWS_ROW(4, 4) WINDOWS_ROW(4, 5)

/* [m / 4][row] */
static void (*const winograd_windows[2][WINOGRAD_POINTS])(const float *, int64_t, float *, int64_t, int64_t) = {
    {winograd_windows_2_0, winograd_windows_2_1, winograd_windows_2_2, winograd_windows_2_3},
    {winograd_windows_4_0, winograd_windows_4_1, winograd_windows_4_2, winograd_windows_4_3, winograd_windows_4_4,
        winograd_windows_4_5}};

#endif
