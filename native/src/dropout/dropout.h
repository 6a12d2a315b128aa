/*
 * Which elements dropout keeps, and its plans, the same at every level.
 *
 * Element 4 * i + k uses word k of block i (philox_block). It is kept where (word >> 8) * 2^-24, uniform in [0, 1), is
 * less than keep.
 */
#ifndef TARN_DROPOUT_H
#define TARN_DROPOUT_H

#include <math.h>

#include "dropout/philox.h"
#include "kernel.h"

/* uniform < keep is the same as (word >> 8) < this integer, in 1 .. 2^24 */
static inline uint32_t dropout_threshold(double keep) { return (uint32_t)ceil(keep * 0x1p24); }

/* Elements in one task: a multiple of 8, so that tasks share no byte of the mask, and of every vector's stride. */
#define DROPOUT_TASK ((int64_t)1 << 15)

static inline int32_t dropout_plan(const tarn_dropout_args *a, tarn_plan *plan, const void *from, const void *to) {
    if (TARN_PRODUCT(a->n, a->count) < 0 || a->count < 1 || !(a->keep > 0 && a->keep <= 1) || !a->mask
        || !isfinite(a->scale) || !isfinite(a->shift) || !isfinite(a->dropped) || !from || !to) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, tarn_ceil_div(a->n * a->count, DROPOUT_TASK));
}

static int32_t plan_dropout_forward(const void *args, tarn_plan *plan) {
    const tarn_dropout_args *a = args;
    return a->step ? dropout_plan(a, plan, a->input, a->output) : TARN_BAD_ARGUMENT;
}

static int32_t plan_dropout_backward(const void *args, tarn_plan *plan) {
    const tarn_dropout_args *a = args;
    return dropout_plan(a, plan, a->grad_output, a->grad_input);
}

/* What becomes of elements: kept x * scale + shift, or x itself where it copies; the others dropped. */
typedef struct {
    real scale, shift, dropped;
    int copies;
} dropout_map;

/* No shift is -0.0, for x + -0.0 is x, whatever the sign of x. */
static inline dropout_map dropout_output(const tarn_dropout_args *a) {
    real shift = a->shift == 0 ? (real)-0.0 : (real)a->shift;
    return (dropout_map){(real)a->scale, shift, (real)a->dropped, a->scale == 1 && a->shift == 0};
}
static inline dropout_map dropout_gradient(const tarn_dropout_args *a) {
    return (dropout_map){(real)a->scale, (real)-0.0, 0, a->scale == 1};
}

/* The elements of tasks [begin, end): from *i to *stop. */
static inline void dropout_range(const tarn_dropout_args *a, int64_t begin, int64_t end, int64_t *i, int64_t *stop) {
    *i = begin * DROPOUT_TASK;
    *stop = tarn_min(end * DROPOUT_TASK, a->n * a->count);
}

#endif
