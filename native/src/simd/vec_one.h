/* A vec of one number, for kernels whose text is the same at every level: what that text means, in float and double. */
#ifndef TARN_VEC_ONE_H
#define TARN_VEC_ONE_H

#include <math.h>

#include "kernel.h"

#define LANES 1
typedef real vec;

static inline vec vec_zero(void) { return 0; }
static inline vec vec_set1(real x) { return x; }
static inline vec vec_sqrt(vec x) { return (real)sqrt((double)x); } /* of a float, the same as sqrtf */
static inline vec vec_where_above(vec y, real low, vec x) { return y > low ? x : 0; }
static inline vec vec_where_below(vec y, real high, vec x) { return y < high ? x : 0; }
static inline vec vec_where_nonzero(vec y, vec x) { return y != 0 ? x : 0; }
static inline vec vec_load_upto(const real *p, int64_t n) { return n == 1 ? *p : 0; }
static inline void vec_store_upto(real *p, vec x, int64_t n) {
    if (n == 1) {
        *p = x;
    }
}

#endif
