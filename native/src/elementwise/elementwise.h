/* Plans of the elementwise operations, the same at every level. */
#ifndef TARN_ELEMENTWISE_H
#define TARN_ELEMENTWISE_H

#include "activation/activation.h"

/* Elements in one task: 256 KiB of floats, some microseconds of work. */
#define ELEMENTWISE_TASK ((int64_t)1 << 16)

static inline int32_t elementwise_plan(const tarn_elementwise_args *a, tarn_plan *plan, int needs_b) {
    if (TARN_PRODUCT(a->n, a->count) < 0 || a->count < 1 || !ACTIVATION_VALID(a)
        || !a->a || !a->out || (needs_b && !a->b)) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, tarn_ceil_div(a->n * a->count, ELEMENTWISE_TASK));
}

static int32_t plan_unary(const void *args, tarn_plan *plan) { return elementwise_plan(args, plan, 0); }

static int32_t plan_binary(const void *args, tarn_plan *plan) { return elementwise_plan(args, plan, 1); }

/* The elements of tasks [begin, end): from *i to *stop. */
static inline void elementwise_range(
        const tarn_elementwise_args *a, int64_t begin, int64_t end, int64_t *i, int64_t *stop) {
    *i = begin * ELEMENTWISE_TASK;
    *stop = tarn_min(end * ELEMENTWISE_TASK, a->n * a->count);
}

#endif
