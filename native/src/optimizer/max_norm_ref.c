/*
 * The incoming weights of an output, a column, are scaled down to a norm of at most limit. Columns within it are not
 * written. A task is a block of columns, so that rows are read along cache lines; norms are sums in double.
 */
#include <math.h>

#include "kernel.h"

#define COLUMNS ((int64_t)64)

static int32_t plan_max_norm(const void *args, tarn_plan *plan) {
    const tarn_max_norm_args *a = args;
    if (a->n < 0 || a->n > 1 || TARN_PRODUCT(a->rows, a->c) < 1 || !(a->limit > 0) || !a->weight) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * tarn_ceil_div(a->c, COLUMNS));
}

/* weight: the first of n columns, pitch apart from row to row. */
static void limit_columns(real *weight, int64_t rows, int64_t pitch, int64_t n, double limit) {
    double squares[COLUMNS] = {0};
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < n; j++) {
            squares[j] += (double)weight[i * pitch + j] * weight[i * pitch + j];
        }
    }
    for (int64_t j = 0; j < n; j++) {
        const double norm = sqrt(squares[j]), factor = limit / norm;
        for (int64_t i = 0; norm > limit && i < rows; i++) {
            weight[i * pitch + j] = (real)(weight[i * pitch + j] * factor);
        }
    }
}

static int32_t max_norm(const void *args, int64_t begin, int64_t end) {
    const tarn_max_norm_args *a = args;
    for (int64_t block = begin; block < end; block++) {
        int64_t first = block * COLUMNS;
        limit_columns((real *)a->weight + first, a->rows, a->c, tarn_min(COLUMNS, a->c - first), a->limit);
    }
    return TARN_OK;
}
VARIANT(max_norm, max_norm, plan_max_norm, max_norm);
