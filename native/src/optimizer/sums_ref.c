/*
 * Sums over flat memory in double: of squares, for norms and L2, and of absolute values, for L1. A task leaves the sums
 * of its block, which are added in order; the terms of a block go to eight chains, which vectors of any width can hold.
 */
#include <math.h>

#include "kernel.h"

#define SUMS_TASK ((int64_t)1 << 15)
#define CHAINS 8

static int32_t plan_sums(const void *args, tarn_plan *plan) {
    const tarn_sums_args *a = args;
    if (a->n < 0 || a->n > 1 || TARN_PRODUCT(a->count) < 1 || !a->input || !a->sums) {
        return TARN_BAD_ARGUMENT;
    }
    int64_t tasks = a->n * tarn_ceil_div(a->count, SUMS_TASK);
    *plan = (tarn_plan){.tasks = {tasks, a->n}, .shared = tasks * 2 * (int64_t)sizeof(double)};
    return TARN_OK;
}

static void block_sums(const real *x, int64_t n, double *sums) {
    double squares[CHAINS] = {0}, sizes[CHAINS] = {0};
    int64_t i = 0;
    for (; i + CHAINS <= n; i += CHAINS) {
        for (int j = 0; j < CHAINS; j++) {
            squares[j] += (double)x[i + j] * x[i + j];
            sizes[j] += fabs((double)x[i + j]);
        }
    }
    for (int j = 0; i + j < n; j++) {
        squares[j] += (double)x[i + j] * x[i + j];
        sizes[j] += fabs((double)x[i + j]);
    }
    sums[0] = sums[1] = 0;
    for (int j = 0; j < CHAINS; j++) {
        sums[0] += squares[j];
        sums[1] += sizes[j];
    }
}

static int32_t sum_blocks(const void *args, int64_t begin, int64_t end) {
    const tarn_sums_args *a = args;
    for (int64_t block = begin; block < end; block++) {
        int64_t first = block * SUMS_TASK;
        block_sums((const real *)a->input + first, tarn_min(SUMS_TASK, a->count - first),
                (double *)a->shared + 2 * block);
    }
    return TARN_OK;
}

static int32_t add_blocks(const void *args, int64_t begin, int64_t end) {
    const tarn_sums_args *a = args;
    const double *blocks = a->shared;
    double squares = 0, sizes = 0;
    for (int64_t block = 0; begin < end && block < tarn_ceil_div(a->count, SUMS_TASK); block++) {
        squares += blocks[2 * block];
        sizes += blocks[2 * block + 1];
    }
    ((double *)a->sums)[0] = squares;
    ((double *)a->sums)[1] = sizes;
    return TARN_OK;
}
VARIANT(sums, sums, plan_sums, sum_blocks, add_blocks);
