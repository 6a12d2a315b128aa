/* What every kernel file needs: its number type, its level, and names that carry both. */
#ifndef TARN_KERNEL_H
#define TARN_KERNEL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "tarn.h"
#include "tarn_args.h"

/*
 * Files are compiled once for each (type, level): with TARN_BUILD_F64 or _BF16 set, or neither for F32, and with one of
 * TARN_BUILD_BLAS, _NEON, _AVX2, _AVX512, or none for the reference. _AVX512_BF16 comes on top of _AVX512, and _AMX on top of both.
 * Everything in them is static but one tarn_variant for each operation: no function of one level can be linked into another.
 *
 * real is what is computed with, element what an activation is stored as.
 */
#if defined(TARN_BUILD_F64)
typedef double real;
typedef double element;
#define TARN_THIS_DTYPE TARN_F64
#define TARN_TYPED(level) f64__##level
#elif defined(TARN_BUILD_BF16)
typedef float real;
typedef uint16_t element;
#define TARN_THIS_DTYPE TARN_BF16
#define TARN_TYPED(level) bf16__##level
#else
typedef float real;
typedef float element;
#define TARN_THIS_DTYPE TARN_F32
#define TARN_TYPED(level) f32__##level
#endif

#if defined(TARN_BUILD_AMX)
#define TARN_SUFFIX TARN_TYPED(amx)
#define TARN_THIS_LEVEL TARN_AMX
#elif defined(TARN_BUILD_AVX512_BF16)
#define TARN_SUFFIX TARN_TYPED(avx512_bf16)
#define TARN_THIS_LEVEL TARN_AVX512_BF16
#elif defined(TARN_BUILD_AVX512)
#define TARN_SUFFIX TARN_TYPED(avx512)
#define TARN_THIS_LEVEL TARN_AVX512
#elif defined(TARN_BUILD_AVX2)
#define TARN_SUFFIX TARN_TYPED(avx2)
#define TARN_THIS_LEVEL TARN_AVX2
#elif defined(TARN_BUILD_NEON)
#define TARN_SUFFIX TARN_TYPED(neon)
#define TARN_THIS_LEVEL TARN_NEON
#elif defined(TARN_BUILD_BLAS)
#define TARN_SUFFIX TARN_TYPED(blas)
#define TARN_THIS_LEVEL TARN_BLAS
#else
#define TARN_SUFFIX TARN_TYPED(ref)
#define TARN_THIS_LEVEL TARN_REF
#endif

#define TARN_JOIN_(op, suffix) tarn_##op##_##suffix
#define TARN_JOIN(op, suffix) TARN_JOIN_(op, suffix)
#define TARN_JOIN_NAMED_(op, suffix, technique) tarn_##op##_##suffix##_##technique
#define TARN_JOIN_NAMED(op, suffix, technique) TARN_JOIN_NAMED_(op, suffix, technique)

/* Defines this file's variant of an operation: VARIANT(add, elementwise, plan, phase0, phase1, phase2). */
#define VARIANT(op, args, plan, ...) VARIANT_SYMBOL(TARN_JOIN(op, TARN_SUFFIX), op, "", args, plan, __VA_ARGS__)
/* A further variant at the same level, told apart by its technique: tarn_conv2d_forward_f32__avx2_few_channels. */
#define VARIANT_NAMED(op, technique, args, plan, ...) \
    VARIANT_SYMBOL(TARN_JOIN_NAMED(op, TARN_SUFFIX, technique), op, #technique, args, plan, __VA_ARGS__)
#define VARIANT_SYMBOL(symbol, op, technique, args, plan, ...) \
    const tarn_variant symbol = {#op, #args, TARN_THIS_DTYPE, TARN_THIS_LEVEL, plan, {__VA_ARGS__}, technique}

/* BF16 is the upper half of a float; rounding is to nearest even, and a NaN stays one. */
static inline float tarn_bf16_to_float(uint16_t x) {
    const uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}
static inline uint16_t tarn_bf16_of_float(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)(x != x ? bits >> 16 | 0x40 : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

/* Element i of activations. */
#if defined(TARN_BUILD_BF16)
static inline real tarn_get(const element *p, int64_t i) { return tarn_bf16_to_float(p[i]); }
static inline void tarn_set(element *p, int64_t i, real x) { p[i] = tarn_bf16_of_float(x); }
#else
static inline real tarn_get(const element *p, int64_t i) { return p[i]; }
static inline void tarn_set(element *p, int64_t i, real x) { p[i] = x; }
#endif

static inline int64_t tarn_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tarn_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t tarn_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
/* Where share i of count things begins, of shares that differ by one thing at most. */
static inline int64_t tarn_cut(int64_t count, int64_t shares, int64_t i) {
    return i * (count / shares) + tarn_min(i, count % shares);
}

/*
 * The product of sizes, or -1 if one is negative or the product has more than 2^48 elements: no address space holds
 * that many, and byte counts and rounded-up task counts computed from it cannot overflow.
 */
#define TARN_MAX_ELEMENTS ((int64_t)1 << 48)
#define TARN_PRODUCT(...) \
    tarn_product((const int64_t[]){__VA_ARGS__}, (int)(sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t)))
static inline int64_t tarn_product(const int64_t *sizes, int count) {
    int64_t product = 1;
    for (int i = 0; i < count; i++) {
        if (sizes[i] < 0 || __builtin_mul_overflow(product, sizes[i], &product) || product > TARN_MAX_ELEMENTS) {
            return -1;
        }
    }
    return product;
}

/* A plan of one phase that needs no memory. */
static inline int32_t tarn_plan_tasks(tarn_plan *plan, int64_t tasks) {
    *plan = (tarn_plan){.tasks = {tasks}};
    return TARN_OK;
}

#endif
