/* Plans of maxout, the same at every level. */
#ifndef TARN_MAXOUT_H
#define TARN_MAXOUT_H

#include "rows.h"

#define MAXOUT_PIECES 256 /* their numbers are bytes */

static inline int64_t maxout_rows(const tarn_maxout_args *a) { return a->n * a->hw; }

static inline int32_t maxout_plan(const tarn_maxout_args *a, int complete, tarn_plan *plan) {
    if (a->pieces < 2 || a->pieces > MAXOUT_PIECES || TARN_PRODUCT(a->n, a->hw, a->pieces, a->c) < 0
        || TARN_PRODUCT(a->hw, a->c) < 1 || !complete) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, rows_blocks(maxout_rows(a), a->pieces * a->c));
}

static int32_t plan_maxout_forward(const void *args, tarn_plan *plan) {
    const tarn_maxout_args *a = args;
    return maxout_plan(a, a->input && a->output, plan);
}

static int32_t plan_maxout_backward(const void *args, tarn_plan *plan) {
    const tarn_maxout_args *a = args;
    return maxout_plan(a, a->index && a->grad_output && a->grad_input, plan);
}

/* The rows of tasks [begin, end). */
static inline void maxout_range(const tarn_maxout_args *a, int64_t begin, int64_t end, int64_t *row, int64_t *stop) {
    int64_t unused;
    rows_range(begin, maxout_rows(a), a->pieces * a->c, row, &unused);
    rows_range(end - 1, maxout_rows(a), a->pieces * a->c, &unused, stop);
}

#endif
