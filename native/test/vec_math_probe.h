#ifndef TARN_VEC_MATH_PROBE_H
#define TARN_VEC_MATH_PROBE_H

#include <stdint.h>

typedef void vec_function(const float *x, float *y, int64_t count);
typedef struct {
    int64_t level;
    vec_function *exp, *expm1, *sigmoid, *tanh;
} vec_math_probe;

extern const vec_math_probe tarn_vec_math_probe_f32__avx2, tarn_vec_math_probe_f32__avx512, tarn_vec_math_probe_f32__neon;

#endif
