/*
 * exp, expm1 and tanh of vectors within 2 units in the last place where the result is a normal number, and the logistic
 * function within 4. A NaN passes through.
 *
 * x = n ln 2 + r with |r| <= ln 2 / 2, and exp(x) = 2^n (1 + p) with p = exp(r) - 1 = r + r^2 q(r). The polynomial q is
 * the one of least relative error of p (2.4e-10, below a 250th of a unit). expm1 adds 2^n p to 2^n - 1, which is exact
 * near zero, so nothing cancels.
 */
#ifndef TARN_VEC_MATH_H
#define TARN_VEC_MATH_H

#include "simd/vec.h"

/* Beyond these exp is infinite or below the least normal number; the scale 2^n stays in the range of vec_scale. */
#define VEC_EXP_LOWEST (-104.0f)
#define VEC_EXP_HIGHEST 89.0f

/* exp(r) - 1, and in *n the power of two. */
static inline vec vec_reduced_expm1(vec x, vec *n) {
    *n = vec_nearest(vec_mul(x, vec_set1(0x1.715476p0f)));
    /* ln 2 in two parts: the product with the first is exact in a multiply-add */
    const vec r = vec_fma(*n, vec_set1(0x1.05c61p-29f), vec_fma(*n, vec_set1(-0x1.62e43p-1f), x));
    vec q = vec_fma(vec_set1(0x1.a1a1b4p-13f), r, vec_set1(0x1.6d74cep-10f));
    q = vec_fma(q, r, vec_set1(0x1.11109p-7f));
    q = vec_fma(q, r, vec_set1(0x1.5554aep-5f));
    q = vec_fma(q, r, vec_set1(0x1.555556p-3f));
    q = vec_fma(q, r, vec_set1(0.5f));
    return vec_fma(vec_mul(r, r), q, r);
}

static inline vec vec_exp(vec x) {
    vec n;
    /* the second operand of min and max wins on NaN */
    x = vec_max(vec_set1(VEC_EXP_LOWEST), vec_min(vec_set1(VEC_EXP_HIGHEST), x));
    const vec p = vec_reduced_expm1(x, &n);
    return vec_scale(vec_add(p, vec_set1(1)), n);
}

/* exp(x) - 1 for x <= 88. */
static inline vec vec_expm1(vec x) {
    vec n;
    const vec p = vec_reduced_expm1(vec_max(vec_set1(VEC_EXP_LOWEST), x), &n), power = vec_scale(vec_set1(1), n);
    return vec_fma(power, p, vec_sub(power, vec_set1(1)));
}

/* 1 / (1 + exp(-x)). exp errs by 3/4 of a unit, the sum by a half, the quotient too; a unit is worth two where it is inverted. */
static inline vec vec_sigmoid(vec x) {
    return vec_div(vec_set1(1), vec_add(vec_set1(1), vec_exp(vec_sub(vec_zero(), x))));
}

/*
 * With t = exp(2|x|) - 1: y = t / (t + 2), with the sign of x; in float it is 1 from |x| = 9.1 on. What the sum loses, e,
 * is put back where it counts: d y / d sum = -y / sum, and 1 / sum = (1 - y) / 2.
 */
static inline vec vec_tanh(vec x) {
    const vec two = vec_set1(2), t = vec_expm1(vec_min(vec_set1(20), vec_mul(two, vec_abs(x))));
    const vec sum = vec_add(t, two), e = vec_where_below(t, 64, vec_sub(t, vec_sub(sum, two))), y = vec_div(t, sum);
    const vec less_inverse = vec_mul(vec_set1(-0.5f), vec_sub(vec_set1(1), y));
    return vec_with_sign(vec_fma(vec_mul(y, less_inverse), e, y), x);
}

#endif
