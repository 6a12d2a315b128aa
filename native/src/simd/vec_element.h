/*
 * Activations beside vectors of floats: vec_get and vec_put read and write LANES of them as a vec, and `elements` is a vector
 * of them that is moved without looking inside. In F32 builds both are vec.
 */
#ifndef TARN_VEC_ELEMENT_H
#define TARN_VEC_ELEMENT_H

#include "simd/vec.h"

#if !defined(TARN_BUILD_BF16)

#define ELEMENTS LANES
typedef vec elements;
static inline elements elements_zero(void) { return vec_zero(); }
static inline elements elements_load(const element *p) { return vec_load(p); }
static inline elements elements_load_n(const element *p, int64_t n) { return vec_load_n(p, n); }
static inline void elements_store(element *p, elements x) { vec_store(p, x); }
static inline void elements_store_n(element *p, elements x, int64_t n) { vec_store_n(p, x, n); }

static inline vec vec_get(const element *p, int64_t n) { return vec_load_upto(p, n); }
static inline void vec_put(element *p, vec x, int64_t n) { vec_store_upto(p, x, n); }

#endif

#endif
