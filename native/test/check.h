/*
 * The test harness of the kernels: memory that ends at an unmapped page, random data from a seed that can be replayed,
 * every variant of an operation that this processor can run, and comparison against bounds computed from the operation.
 *
 * A test is a list of named cases; each runs twice, once with every buffer ending at an unmapped page and once
 * beginning right after one. TARN_TEST_SEED=n replays a run.
 */
#ifndef TARN_CHECK_H
#define TARN_CHECK_H

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tarn.h"
#include "tarn_args.h"

/* Memory. All of it lives until check_release, which also verifies that nothing was written beside the buffers. */

/* bytes of NaN poison. Floats are aligned to four bytes only, which is all that the ABI promises. */
void *check_alloc(int64_t bytes);
void check_release(void);

/* Tensors of any number type hold values given as doubles, so that one case serves variants of all types. */
static inline int64_t check_size(int64_t dtype) { return dtype == TARN_F64 ? 8 : dtype == TARN_BF16 ? 2 : 4; }
static inline double check_get(int64_t dtype, const void *p, int64_t i) {
    if (dtype == TARN_BF16) {
        const uint32_t bits = (uint32_t)((const uint16_t *)p)[i] << 16;
        float value;
        memcpy(&value, &bits, sizeof value);
        return value;
    }
    return dtype == TARN_F64 ? ((const double *)p)[i] : (double)((const float *)p)[i];
}
void *check_alloc_reals(int64_t dtype, int64_t count);
/* A tensor holding values, rounded to its type; those of BF16 must need no rounding. */
void *check_reals(int64_t dtype, const double *values, int64_t count);
/* The tensor's values as doubles. */
double *check_doubles(int64_t dtype, const void *p, int64_t count);

/* Random data: uniform in [low, high), always exact as floats. */

uint64_t check_random(void);
double check_uniform(double low, double high);
double *check_uniforms(int64_t count, double low, double high);

/* Variants. */

/* The variant after v (NULL: the first) of an operation that this processor can run, of BF16 or of the other types, or NULL. */
const tarn_variant *check_next(const char *op, const tarn_variant *v, int bf16);
#define CHECK_EACH(v, op) for (const tarn_variant *v = check_next(op, NULL, 0); v; v = check_next(op, v, 0))
#define CHECK_EACH_BF16(v, op) for (const tarn_variant *v = check_next(op, NULL, 1); v; v = check_next(op, v, 1))
/* How many levels with vectors this processor can run in F32. */
int check_vector_levels(void);
/* The definition of the operation in double. */
const tarn_variant *check_reference(const char *op);

/* How the tasks of each phase are cut into calls. SINGLE goes from the last to the first: tasks may run in any order. */
enum check_split { CHECK_WHOLE, CHECK_SINGLE, CHECK_RANDOM, CHECK_SPLITS };

/* Plans and runs v on args, shared and scratch memory full of NaN poison; returns the first status that is not OK. */
int32_t check_run(const tarn_variant *v, void *args, enum check_split split);
/* As check_run, and the status must be OK. Returns 1 if it ran, 0 if the variant declined. */
int check_runs(const tarn_variant *v, void *args, enum check_split split);
int32_t check_plan(const tarn_variant *v, const void *args);

/* Checks. Failures print the variant, the case and the seed; the test goes on. */

/* What is being tested, printed with failures: check_case("c=%d", c). */
void check_case(const char *format, ...) __attribute__((format(printf, 1, 2)));
void check_count(int ok, const char *file, int line, const char *format, ...) __attribute__((format(printf, 4, 5)));
#define CHECK(ok, ...) check_count(ok, __FILE__, __LINE__, __VA_ARGS__)

/* |got - want| <= bound, where NaN and infinities must be met by the same. Flushed denormals are allowed for. */
int check_near(int64_t dtype, double got, double want, double bound);
/* check_near for every element of a tensor. */
void check_within(const char *what, int64_t dtype, const void *got, const double *want, const double *bound,
        int64_t count);
void check_bits(const char *what, const void *got, const void *want, int64_t bytes);

/* Unit roundoff, and gamma_k = k*u / (1 - k*u), the relative error of k roundings. */
static inline double check_unit(int64_t dtype) {
    return dtype == TARN_F64 ? 0x1p-53 : dtype == TARN_BF16 ? 0x1p-8 : 0x1p-24;
}
static inline double check_gamma(int64_t dtype, double k) {
    double ku = k * check_unit(dtype);
    return ku / (1 - ku);
}

typedef struct {
    const char *name;
    void (*run)(void);
} check_test;

int check_main(const char *name, const check_test *tests, int count);
#define CHECK_MAIN(...) \
    int main(void) { \
        static const check_test tests[] = {__VA_ARGS__}; \
        return check_main(__FILE__, tests, (int)(sizeof tests / sizeof tests[0])); \
    }

#endif
