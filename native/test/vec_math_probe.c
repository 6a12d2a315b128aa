/* The vector functions of one level as a table for vec_math_test.c; compiled once for each level. */
#include "vec_math_probe.h"

#include "simd/vec_math.h"

#define EACH(name) \
    static void each_##name(const float *x, float *y, int64_t count) { \
        for (int64_t i = 0; i < count; i += LANES) { \
            vec_store_upto(y + i, vec_##name(vec_load_upto(x + i, tarn_min(LANES, count - i))), \
                    tarn_min(LANES, count - i)); \
        } \
    }
EACH(exp)
EACH(expm1)
EACH(sigmoid)
EACH(tanh)

const vec_math_probe TARN_JOIN(vec_math_probe, TARN_SUFFIX) = {TARN_THIS_LEVEL, each_exp, each_expm1, each_sigmoid, each_tanh};
