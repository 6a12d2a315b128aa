/*
 * The transforms of Winograd convolution F(m x m, 3x3), m = 4 or 2, along one axis. With them a 3x3 convolution of
 * m x m outputs is (m+2)^2 products instead of 9 m^2, each a matrix product over the channels:
 *
 *   Y = A^T [(G g G^T) . (B^T d B)] A       g: weights 3x3, d: input (m+2)x(m+2), Y: outputs m x m
 *
 * and the gradient of g is the transposed map, G^T [(A dY A^T) . (B^T d B)] G.
 *
 * They interpolate polynomials at m+1 points and at infinity (Toom-Cook). m = 2 takes 0, +-1. m = 4 takes 0, +-r, +-2r
 * with r = sqrt(1/2): products of r and 2r are 1, which keeps all entries of the three matrices near one, and the error
 * some five times below that of the usual +-1, +-2. A row i of A holds the powers 0 .. m-1 of point p_i, one of G the
 * powers 0 .. 2 divided by the product of p_i - p_k over the other points, one of B^T the coefficients of the product
 * of x - p_k over them.
 */
#ifndef TARN_WINOGRAD_TRANSFORMS_H
#define TARN_WINOGRAD_TRANSFORMS_H

#include "simd/vec.h"

#define WINOGRAD_INLINE static inline __attribute__((always_inline))

/* Runs a step, which is compiled once for each m. */
#define WINOGRAD_RUN(m, step, ...) ((m) == 4 ? step(4, __VA_ARGS__) : step(2, __VA_ARGS__))

#define WINOGRAD_ROOT 0.70710678118654752f /* r */
/* Points, and so products, along an axis of the larger tile. */
#define WINOGRAD_POINTS 6

/* y[m+2] = B^T x[m+2], of input */
WINOGRAD_INLINE void winograd_input(const int m, const vec *x, vec *y) {
    if (m == 2) {
        y[0] = vec_sub(x[0], x[2]);
        y[1] = vec_add(x[2], x[1]);
        y[2] = vec_sub(x[2], x[1]);
        y[3] = vec_sub(x[3], x[1]);
        return;
    }
    const vec r = vec_set1(WINOGRAD_ROOT), less_two = vec_set1(-2), less_half = vec_set1(-0.5f);
    const vec less_r = vec_set1(-WINOGRAD_ROOT), twice_r = vec_set1(2 * WINOGRAD_ROOT);
    const vec less_twice_r = vec_set1(-2 * WINOGRAD_ROOT), outer = vec_set1(-2.5f);
    const vec even1 = vec_fma(less_two, x[2], x[4]), odd1 = vec_fma(less_two, x[1], x[3]);
    const vec even2 = vec_fma(less_half, x[2], x[4]), odd2 = vec_fma(less_half, x[1], x[3]);
    y[0] = vec_fma(outer, x[2], vec_add(x[0], x[4]));
    y[1] = vec_fma(r, odd1, even1);
    y[2] = vec_fma(less_r, odd1, even1);
    y[3] = vec_fma(twice_r, odd2, even2);
    y[4] = vec_fma(less_twice_r, odd2, even2);
    y[5] = vec_fma(outer, x[3], vec_add(x[1], x[5]));
}

/* y[m] = A^T x[m+2], of products */
WINOGRAD_INLINE void winograd_output(const int m, const vec *x, vec *y) {
    const vec sum1 = vec_add(x[1], x[2]), less1 = vec_sub(x[1], x[2]);
    if (m == 2) {
        y[0] = vec_add(x[0], sum1);
        y[1] = vec_add(x[3], less1);
        return;
    }
    const vec sum2 = vec_add(x[3], x[4]), less2 = vec_sub(x[3], x[4]), r = vec_set1(WINOGRAD_ROOT);
    y[0] = vec_add(vec_add(x[0], sum1), sum2);
    y[1] = vec_mul(r, vec_fma(vec_set1(2), less2, less1));
    y[2] = vec_fma(vec_set1(2), sum2, vec_mul(vec_set1(0.5f), sum1));
    y[3] = vec_fma(r, vec_fma(vec_set1(4), less2, vec_mul(vec_set1(0.5f), less1)), x[5]);
}

/* y[i] of y[m+2] = G x[3], of weights */
WINOGRAD_INLINE vec winograd_weight_at(const int m, const int i, const vec *x) {
    if (i == 0 || i == m + 1) {
        return x[i ? 2 : 0];
    }
    if (m == 2) {
        const vec even = vec_mul(vec_set1(0.5f), vec_add(x[0], x[2]));
        return vec_fma(vec_set1(i == 1 ? 0.5f : -0.5f), x[1], even);
    }
    if (i <= 2) { /* the points' powers by -2/3 */
        const vec even = vec_fma(vec_set1(-1 / 3.0f), x[2], vec_mul(vec_set1(-2 / 3.0f), x[0]));
        return vec_fma(vec_set1((i == 1 ? -WINOGRAD_ROOT : WINOGRAD_ROOT) * 2 / 3), x[1], even);
    }
    /* by 1/6 */
    const vec even = vec_fma(vec_set1(1 / 3.0f), x[2], vec_mul(vec_set1(1 / 6.0f), x[0]));
    return vec_fma(vec_set1((i == 3 ? WINOGRAD_ROOT : -WINOGRAD_ROOT) / 3), x[1], even);
}

/* y[m+2] = G x[3] */
WINOGRAD_INLINE void winograd_weight(const int m, const vec *x, vec *y) {
#pragma GCC unroll 6
    for (int i = 0; i < m + 2; i++) {
        y[i] = winograd_weight_at(m, i, x);
    }
}

/* y[m+2] = A x[m], of the gradient of the output */
WINOGRAD_INLINE void winograd_grad_output(const int m, const vec *x, vec *y) {
    y[0] = x[0];
    y[m + 1] = x[m - 1];
    if (m == 2) {
        y[1] = vec_add(x[0], x[1]);
        y[2] = vec_sub(x[0], x[1]);
        return;
    }
    const vec r = vec_set1(WINOGRAD_ROOT), less_r = vec_set1(-WINOGRAD_ROOT);
    const vec twice_r = vec_set1(2 * WINOGRAD_ROOT), less_twice_r = vec_set1(-2 * WINOGRAD_ROOT);
    const vec even1 = vec_fma(vec_set1(0.5f), x[2], x[0]), odd1 = vec_fma(vec_set1(0.5f), x[3], x[1]);
    const vec even2 = vec_fma(vec_set1(2), x[2], x[0]), odd2 = vec_fma(vec_set1(2), x[3], x[1]);
    y[1] = vec_fma(r, odd1, even1);
    y[2] = vec_fma(less_r, odd1, even1);
    y[3] = vec_fma(twice_r, odd2, even2);
    y[4] = vec_fma(less_twice_r, odd2, even2);
}

/* y[3] = G^T x[m+2], of sums of products, to the gradient of weights */
WINOGRAD_INLINE void winograd_grad_weight(const int m, const vec *x, vec *y) {
    const vec sum1 = vec_add(x[1], x[2]), less1 = vec_sub(x[1], x[2]);
    if (m == 2) {
        const vec half = vec_set1(0.5f);
        y[0] = vec_fma(half, sum1, x[0]);
        y[1] = vec_mul(half, less1);
        y[2] = vec_fma(half, sum1, x[3]);
        return;
    }
    const vec sum2 = vec_add(x[3], x[4]), less2 = vec_sub(x[3], x[4]);
    y[0] = vec_fma(vec_set1(1 / 6.0f), sum2, vec_fma(vec_set1(-2 / 3.0f), sum1, x[0]));
    y[1] = vec_fma(vec_set1(WINOGRAD_ROOT / 3), less2, vec_mul(vec_set1(-WINOGRAD_ROOT * 2 / 3), less1));
    y[2] = vec_fma(vec_set1(1 / 3.0f), vec_sub(sum2, sum1), x[5]);
}

#endif
