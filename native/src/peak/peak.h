/*
 * Nothing but multiply-adds on registers: how fast this processor can be. Each of n examples runs FMA_CHAINS chains that
 * do not wait for each other,
 *
 *     x = x * 0.5 + 1,    steps times, from x = j for chain j
 *
 * which ends at 2 + (j - 2) / 2^steps: exact in float for few steps, 2 for many, never denormal. 2 * FMA_CHAINS * steps
 * floating-point operations an example. One task is one example.
 */
#ifndef TARN_PEAK_H
#define TARN_PEAK_H

#include "kernel.h"

#define FMA_CHAINS 384

static int32_t plan_fma(const void *args, tarn_plan *plan) {
    const tarn_fma_args *a = args;
    if (a->n < 0 || a->steps < 1 || TARN_PRODUCT(a->n, FMA_CHAINS) < 0 || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n);
}

#endif
