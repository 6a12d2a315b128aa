/* What losses share: tasks over labelled examples, which are never cut, and what a mean divides by. */
#ifndef TARN_EXAMPLES_H
#define TARN_EXAMPLES_H

#include "kernel.h"

/* Scores in one task. */
#define EXAMPLES_TASK ((int64_t)1 << 12)

static inline int64_t examples_per_task(int64_t classes) { return tarn_max(1, EXAMPLES_TASK / classes); }
static inline int64_t examples_tasks(int64_t n, int64_t classes) {
    return tarn_ceil_div(n, examples_per_task(classes));
}

/* The sum of each example's loss, in their order. */
static inline double examples_sum(const double *losses, int64_t n) {
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
        sum += losses[i];
    }
    return sum;
}

/* What a mean divides by: where a batch passes in parts, what all of it weighs. */
static inline double mean_divisor(const void *divisor, double own) {
    return divisor ? *(const double *)divisor : own;
}

#endif
