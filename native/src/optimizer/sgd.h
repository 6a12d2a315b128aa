/*
 * The plan of SGD, the same at every level. All levels compute, in the type of the parameters and rounding after every
 * operation (nothing is fused, so that all give the same bits):
 *
 *     d = grad + weight_decay * param
 *     v = momentum * v + d
 *     param = param - rate * v                      with momentum
 *     param = param - rate * (d + momentum * v)     with nesterov
 *     param = param - rate * d                      without momentum
 *     grad = 0
 */
#ifndef TARN_SGD_H
#define TARN_SGD_H

#include <math.h>

#include "kernel.h"

#define SGD_TASK ((int64_t)1 << 15)

static int32_t plan_sgd(const void *args, tarn_plan *plan) {
    const tarn_sgd_args *a = args;
    if (a->n < 0 || a->n > 1 || TARN_PRODUCT(a->count) < 1 || !isfinite(a->momentum) || !isfinite(a->weight_decay)
        || (a->momentum != 0 && !a->velocity) || (a->nesterov && a->momentum == 0) || !a->rate || !a->param
        || !a->grad) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * tarn_ceil_div(a->count, SGD_TASK));
}

#endif
