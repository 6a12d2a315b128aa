/*
 * Plans and tasks of group normalisation, the same at every level. A task is a few whole images or, of an image that is
 * larger than a block, a slice of whole groups; each group of an image is summed by itself. So an image's result has
 * the same bits in any batch.
 */
#ifndef TARN_GROUPNORM_H
#define TARN_GROUPNORM_H

#include <math.h>

#include "activation/activation.h"
#include "rows.h"

/* Channels of a group. */
static inline int64_t groupnorm_width(const tarn_groupnorm_args *a) { return a->c / a->groups; }

/* Images in a task. */
static inline int64_t groupnorm_images(const tarn_groupnorm_args *a) {
    return tarn_max(1, rows_per_block(a->c) / a->hw);
}

/* Groups in a task: as many channels of a large image as fill a few cache lines of each pixel. */
static inline int64_t groupnorm_slice(const tarn_groupnorm_args *a) {
    int64_t few = tarn_ceil_div(ROWS_COMBINE, groupnorm_width(a));
    return a->hw > ROWS_BLOCK_ELEMENTS / a->c ? tarn_min(a->groups, few) : a->groups;
}

static inline int64_t groupnorm_blocks(const tarn_groupnorm_args *a) {
    return tarn_ceil_div(a->n, groupnorm_images(a));
}
static inline int64_t groupnorm_tasks(const tarn_groupnorm_args *a) {
    return groupnorm_blocks(a) * tarn_ceil_div(a->groups, groupnorm_slice(a));
}

/* Groups [first, stop) of an image. */
typedef struct {
    int64_t image, first, stop;
} groupnorm_part;

/* Calls body for every part of tasks [begin, end). */
static inline void groupnorm_each(void (*body)(const tarn_groupnorm_args *, groupnorm_part),
        const tarn_groupnorm_args *a, int64_t begin, int64_t end) {
    const int64_t slice = groupnorm_slice(a), slices = tarn_ceil_div(a->groups, slice), images = groupnorm_images(a);
    for (int64_t task = begin; task < end; task++) {
        const int64_t first = task % slices * slice, image = task / slices * images;
        for (int64_t i = image; i < tarn_min(a->n, image + images); i++) {
            body(a, (groupnorm_part){i, first, tarn_min(a->groups, first + slice)});
        }
    }
}

/* Scratch memory of vector levels: for each channel of a task two sums in double and four coefficients. */
enum {
    GROUPNORM_SUM,
    GROUPNORM_PRODUCT,
    GROUPNORM_MEAN,
    GROUPNORM_SCALE,
    GROUPNORM_SLOPE,
    GROUPNORM_SHIFT,
    GROUPNORM_SCRATCH
};
static inline int64_t groupnorm_scratch_pitch(const tarn_groupnorm_args *a) {
    return rows_pitch(groupnorm_slice(a) * groupnorm_width(a));
}
static inline void *groupnorm_scratch(const tarn_groupnorm_args *a, int which) {
    return (double *)a->scratch + which * groupnorm_scratch_pitch(a);
}

static inline int groupnorm_is_valid(const tarn_groupnorm_args *a) {
    return TARN_PRODUCT(a->n, a->hw, a->c) >= 0 && TARN_PRODUCT(a->hw, a->c) >= 1 && a->groups >= 1
        && a->c % a->groups == 0 && a->eps >= 0 && isfinite(a->eps) && a->input && a->weight && ACTIVATION_VALID(a);
}

static inline int64_t groupnorm_scratch_bytes(const tarn_groupnorm_args *a) {
    return GROUPNORM_SCRATCH * groupnorm_scratch_pitch(a) * (int64_t)sizeof(double);
}

static int32_t plan_groupnorm_forward(const void *args, tarn_plan *plan) {
    const tarn_groupnorm_args *a = args;
    if (!groupnorm_is_valid(a) || !a->bias || !a->output || !a->mean != !a->inv_std) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){.tasks = {groupnorm_tasks(a)}, .scratch = groupnorm_scratch_bytes(a)};
    return TARN_OK;
}

/* What blocks of images add to the gradients of scale and shift is left in shared, in double. */
static inline double *groupnorm_partial(const tarn_groupnorm_args *a, int64_t block, int64_t which) {
    return (double *)a->shared + (2 * block + which) * rows_pitch(a->c);
}

static int32_t plan_groupnorm_backward(const void *args, tarn_plan *plan) {
    const tarn_groupnorm_args *a = args;
    if (!groupnorm_is_valid(a) || !a->mean || !a->inv_std || !a->grad_output || !a->grad_input) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){.tasks = {groupnorm_tasks(a), a->n ? tarn_ceil_div(a->c, ROWS_COMBINE) : 0},
        .shared = 2 * groupnorm_blocks(a) * rows_pitch(a->c) * (int64_t)sizeof(double),
        .scratch = groupnorm_scratch_bytes(a)};
    return TARN_OK;
}

/* Adds what channel c of an image gives: the sum of g to grad_bias, of g * (input - mean) * inv_std to grad_weight. */
static inline void groupnorm_add_partial(
        const tarn_groupnorm_args *a, int64_t image, int64_t c, double grad_weight, double grad_bias) {
    const int64_t block = image / groupnorm_images(a);
    const int is_first = image % groupnorm_images(a) == 0;
    double *weight = groupnorm_partial(a, block, 0) + c, *bias = groupnorm_partial(a, block, 1) + c;
    *weight = (is_first ? 0 : *weight) + grad_weight;
    *bias = (is_first ? 0 : *bias) + grad_bias;
}

/* Phase 1 of backward, over groups of channels: blocks are added in order. */
static int32_t groupnorm_backward_combine(const void *args, int64_t begin, int64_t end) {
    const tarn_groupnorm_args *a = args;
    real *grad_weight = a->grad_weight, *grad_bias = a->grad_bias;
    for (int64_t c = begin * ROWS_COMBINE; c < tarn_min(a->c, end * ROWS_COMBINE); c++) {
        double weight = 0, bias = 0;
        for (int64_t block = 0; block < groupnorm_blocks(a); block++) {
            weight += groupnorm_partial(a, block, 0)[c];
            bias += groupnorm_partial(a, block, 1)[c];
        }
        if (grad_weight) {
            grad_weight[c] = (real)(grad_weight[c] + weight);
        }
        if (grad_bias) {
            grad_bias[c] = (real)(grad_bias[c] + bias);
        }
    }
    return TARN_OK;
}

#endif
