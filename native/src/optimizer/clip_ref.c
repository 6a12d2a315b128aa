/* What is done to gradients that are too large. Both are plain loops that any compiler turns into vectors. */
#include <math.h>

#include "kernel.h"

#define CLIP_TASK ((int64_t)1 << 15)

static int32_t plan_clip(const tarn_clip_args *a, tarn_plan *plan) {
    if (a->n < 0 || a->n > 1 || TARN_PRODUCT(a->count) < 1 || !a->grad) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * tarn_ceil_div(a->count, CLIP_TASK));
}

static int32_t plan_clip_norm(const void *args, tarn_plan *plan) {
    const tarn_clip_args *a = args;
    return a->factor ? plan_clip(a, plan) : TARN_BAD_ARGUMENT;
}

static int32_t plan_clip_value(const void *args, tarn_plan *plan) {
    const tarn_clip_args *a = args;
    return a->limit > 0 ? plan_clip(a, plan) : TARN_BAD_ARGUMENT;
}

static int32_t clip_norm(const void *args, int64_t begin, int64_t end) {
    const tarn_clip_args *a = args;
    real *grad = a->grad, factor = (real) * (const double *)a->factor;
    for (int64_t i = begin * CLIP_TASK; i < tarn_min(a->count, end * CLIP_TASK); i++) {
        grad[i] *= factor;
    }
    return TARN_OK;
}
VARIANT(clip_norm, clip, plan_clip_norm, clip_norm);

static int32_t clip_value(const void *args, int64_t begin, int64_t end) {
    const tarn_clip_args *a = args;
    real *grad = a->grad, limit = (real)a->limit;
    for (int64_t i = begin * CLIP_TASK; i < tarn_min(a->count, end * CLIP_TASK); i++) {
        real g = grad[i];
        g = g > limit ? limit : g; /* a NaN is neither */
        grad[i] = g < -limit ? -limit : g;
    }
    return TARN_OK;
}
VARIANT(clip_value, clip, plan_clip_value, clip_value);
