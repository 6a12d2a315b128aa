/* Sums in double beside vectors of floats: a wide is LANES doubles, in the order of a vec's floats. */
#ifndef TARN_VEC_WIDE_H
#define TARN_VEC_WIDE_H

#include "simd/vec.h"

#if defined(TARN_BUILD_AVX512)
typedef __m512d half;
#define HALF(name) _mm512_##name##_pd
static inline half half_load(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
static inline half half_low(vec x) { return _mm512_cvtps_pd(_mm512_castps512_ps256(x)); }
static inline half half_high(vec x) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(x, 1)); }
static inline vec half_join(half low, half high) {
    return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
}
#elif defined(TARN_BUILD_AVX2)
typedef __m256d half;
#define HALF(name) _mm256_##name##_pd
static inline half half_load(const float *p) { return _mm256_cvtps_pd(_mm_loadu_ps(p)); }
static inline half half_low(vec x) { return _mm256_cvtps_pd(_mm256_castps256_ps128(x)); }
static inline half half_high(vec x) { return _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)); }
static inline vec half_join(half low, half high) {
    return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm256_cvtpd_ps(low)), _mm256_cvtpd_ps(high), 1);
}
#endif

typedef struct {
    half low, high;
} wide;

static inline wide wide_zero(void) { return (wide){HALF(setzero)(), HALF(setzero)()}; }
static inline wide wide_set1(double x) { return (wide){HALF(set1)(x), HALF(set1)(x)}; }
static inline wide wide_from(vec x) { return (wide){half_low(x), half_high(x)}; }
/* n <= LANES floats. Whole vectors are converted on their way from memory, which spares a shuffle for each half. */
static inline wide wide_load_upto(const float *p, int64_t n) {
    return n == LANES ? (wide){half_load(p), half_load(p + LANES / 2)} : wide_from(vec_load_n(p, n));
}
static inline vec wide_round(wide x) { return half_join(x.low, x.high); }
static inline wide wide_add(wide a, wide b) { return (wide){HALF(add)(a.low, b.low), HALF(add)(a.high, b.high)}; }
static inline wide wide_sub(wide a, wide b) { return (wide){HALF(sub)(a.low, b.low), HALF(sub)(a.high, b.high)}; }
static inline wide wide_mul(wide a, wide b) { return (wide){HALF(mul)(a.low, b.low), HALF(mul)(a.high, b.high)}; }
/* a * b + c, rounded once */
static inline wide wide_fma(wide a, wide b, wide c) {
    return (wide){HALF(fmadd)(a.low, b.low, c.low), HALF(fmadd)(a.high, b.high, c.high)};
}
static inline wide wide_load(const double *p) { return (wide){HALF(loadu)(p), HALF(loadu)(p + LANES / 2)}; }
static inline void wide_store(double *p, wide x) {
    HALF(storeu)(p, x.low);
    HALF(storeu)(p + LANES / 2, x.high);
}

#endif
