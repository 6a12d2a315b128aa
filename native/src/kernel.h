/* What every kernel file needs: its number type, its level, and names that carry both. */
#ifndef TARN_KERNEL_H
#define TARN_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "tarn.h"
#include "tarn_args.h"

/*
 * Files are compiled once for each (type, level) with one of TARN_BUILD_REF_F32, _REF_F64, _BLAS, _AVX2, _AVX512 set. Everything
 * in them is static but one tarn_variant for each operation: no function of one level can be linked into another.
 */
#if defined(TARN_BUILD_REF_F64)
typedef double real;
#define TARN_SUFFIX f64__ref
#define TARN_THIS_DTYPE TARN_F64
#define TARN_THIS_LEVEL TARN_REF
#else
typedef float real;
#define TARN_THIS_DTYPE TARN_F32
#if defined(TARN_BUILD_AVX512)
#define TARN_SUFFIX f32__avx512
#define TARN_THIS_LEVEL TARN_AVX512
#elif defined(TARN_BUILD_AVX2)
#define TARN_SUFFIX f32__avx2
#define TARN_THIS_LEVEL TARN_AVX2
#elif defined(TARN_BUILD_BLAS)
#define TARN_SUFFIX f32__blas
#define TARN_THIS_LEVEL TARN_BLAS
#else
#define TARN_SUFFIX f32__ref
#define TARN_THIS_LEVEL TARN_REF
#endif
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

static inline int tarn_activation_valid(int64_t act) { return act >= TARN_IDENTITY && act <= TARN_RELU6; }
static inline real tarn_activate(int64_t act, real x) {
    x = act != TARN_IDENTITY && x < 0 ? 0 : x;
    return act == TARN_RELU6 && x > 6 ? 6 : x;
}
/* Whether the gradient of a result passes the activation. */
static inline int tarn_passes(int64_t act, real y) {
    return act == TARN_IDENTITY || (y > 0 && (act == TARN_RELU || y < 6));
}

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
