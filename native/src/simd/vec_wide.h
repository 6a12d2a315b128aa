/* Sums in double beside vectors of floats: a wide is LANES doubles, in the order of a vec's floats. */
#ifndef TARN_VEC_WIDE_H
#define TARN_VEC_WIDE_H

#include "simd/vec.h"

typedef struct {
    half low, high;
} wide;

static inline wide wide_set1(double x) { return (wide){half_set1(x), half_set1(x)}; }
static inline wide wide_zero(void) { return wide_set1(0); }
static inline wide wide_from(vec x) { return (wide){half_low(x), half_high(x)}; }
/* n <= LANES floats. Whole vectors are converted on their way from memory, which spares a shuffle for each half. */
static inline wide wide_load_upto(const float *p, int64_t n) {
    return n == LANES ? (wide){half_load(p), half_load(p + LANES / 2)} : wide_from(vec_load_n(p, n));
}
static inline vec wide_round(wide x) { return half_join(x.low, x.high); }
static inline wide wide_add(wide a, wide b) { return (wide){a.low + b.low, a.high + b.high}; }
static inline wide wide_sub(wide a, wide b) { return (wide){a.low - b.low, a.high - b.high}; }
static inline wide wide_mul(wide a, wide b) { return (wide){a.low * b.low, a.high * b.high}; }
/* a * b + c, rounded once */
static inline wide wide_fma(wide a, wide b, wide c) {
    return (wide){half_fma(a.low, b.low, c.low), half_fma(a.high, b.high, c.high)};
}
static inline wide wide_load(const double *p) {
    wide x;
    memcpy(&x.low, p, sizeof x.low);
    memcpy(&x.high, p + LANES / 2, sizeof x.high);
    return x;
}
static inline void wide_store(double *p, wide x) {
    memcpy(p, &x.low, sizeof x.low);
    memcpy(p + LANES / 2, &x.high, sizeof x.high);
}

#endif
