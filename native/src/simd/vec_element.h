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

#elif !defined(TARN_BUILD_AVX512)

/* Without masks for 16 bits: halves are LANES of bf16, elements_of fills the rest with anything. */
static inline elements elements_load_n(const element *p, int64_t n) {
    element all[ELEMENTS] = {0};
    memcpy(all, p, (size_t)n * sizeof(element));
    return elements_load(all);
}
static inline void elements_store_n(element *p, elements x, int64_t n) {
    element all[ELEMENTS];
    elements_store(all, x);
    memcpy(p, all, (size_t)n * sizeof(element));
}

static inline vec vec_get(const element *p, int64_t n) {
    return vec_widen(n == LANES ? halves_load(p) : halves_of(elements_load_n(p, n)));
}
static inline void vec_put(element *p, vec x, int64_t n) {
    if (n == LANES) {
        halves_store(p, vec_round(x));
    } else {
        elements_store_n(p, elements_of(vec_round(x)), n);
    }
}

#endif

#endif
