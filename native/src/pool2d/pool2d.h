/* Window arithmetic and plans of pooling, the same at every level. */
#ifndef TARN_POOL2D_H
#define TARN_POOL2D_H

#include "kernel.h"

/* Largest kernel, stride, padding and dilation: their products stay far from overflow. */
#define POOL2D_MAX_WINDOW ((int64_t)1 << 20)
/* A position in the window must fit the byte that max pooling saves. */
#define POOL2D_MAX_POSITIONS 256

/* The k of a window that lie inside the image: 0 <= first + k * dilation < size for k in [*begin, *end). */
static inline void pool2d_clip(
        int64_t first, int64_t kernel, int64_t dilation, int64_t size, int64_t *begin, int64_t *end) {
    *begin = first < 0 ? tarn_ceil_div(-first, dilation) : 0;
    *end = first + (kernel - 1) * dilation < size ? kernel : tarn_ceil_div(size - first, dilation);
}

/* The elements of a window that lie inside the image, and where its element (0, 0) would be. */
typedef struct {
    int64_t row, column, i0, i1, j0, j1;
} pool2d_window;

static inline void pool2d_at_row(const tarn_pool2d_args *a, int64_t y, pool2d_window *at) {
    at->row = y * a->sh - a->pt;
    pool2d_clip(at->row, a->kh, a->dh, a->h, &at->i0, &at->i1);
}

static inline void pool2d_at_column(const tarn_pool2d_args *a, int64_t x, pool2d_window *at) {
    at->column = x * a->sw - a->pl;
    pool2d_clip(at->column, a->kw, a->dw, a->w, &at->j0, &at->j1);
}

/* What the average divides by. */
static inline int64_t pool2d_divisor(const tarn_pool2d_args *a, pool2d_window at) {
    return a->count_include_pad ? a->kh * a->kw : (at.i1 - at.i0) * (at.j1 - at.j0);
}

/* Whether the sizes make sense along one axis and every window has an element inside the image. */
static inline int pool2d_axis_is_valid(
        int64_t size, int64_t out, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
    if (size < 1 || out < 1 || kernel < 1 || stride < 1 || padding < 0 || dilation < 1 || kernel > POOL2D_MAX_WINDOW
        || stride > POOL2D_MAX_WINDOW || padding > POOL2D_MAX_WINDOW || dilation > POOL2D_MAX_WINDOW
        || out - 1 > (size - 1 + padding) / stride) {
        return 0;
    }
    for (int64_t y = 0; y < out && y * stride < padding; y++) { /* a dilated window may step over a small image */
        int64_t begin, end;
        pool2d_clip(y * stride - padding, kernel, dilation, size, &begin, &end);
        if (begin >= end) {
            return 0;
        }
    }
    return 1;
}

static inline int pool2d_is_valid(const tarn_pool2d_args *a) {
    return TARN_PRODUCT(a->n, a->h, a->w, a->c) >= 0 && TARN_PRODUCT(a->n, a->oh, a->ow, a->c) >= 0 && a->c >= 1
        && TARN_PRODUCT(a->h, a->w, a->c) >= 0 && TARN_PRODUCT(a->oh, a->ow, a->c) >= 0
        && pool2d_axis_is_valid(a->h, a->oh, a->kh, a->sh, a->pt, a->dh)
        && pool2d_axis_is_valid(a->w, a->ow, a->kw, a->sw, a->pl, a->dw);
}

/* Forward: one task is one row of one output image. */
static inline int32_t plan_maxpool2d_forward(const void *args, tarn_plan *plan) {
    const tarn_pool2d_args *a = args;
    if (!pool2d_is_valid(a) || a->kh * a->kw > POOL2D_MAX_POSITIONS || !a->input || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * a->oh);
}

static inline int32_t plan_avgpool2d_forward(const void *args, tarn_plan *plan) {
    const tarn_pool2d_args *a = args;
    if (!pool2d_is_valid(a) || !a->input || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * a->oh);
}

/* Backward: one task is one row of one input image, which gathers from all windows over it. */
static inline int32_t plan_maxpool2d_backward(const void *args, tarn_plan *plan) {
    const tarn_pool2d_args *a = args;
    if (!pool2d_is_valid(a) || a->kh * a->kw > POOL2D_MAX_POSITIONS || !a->index || !a->grad_output || !a->grad_input) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * a->h);
}

static inline int32_t plan_avgpool2d_backward(const void *args, tarn_plan *plan) {
    const tarn_pool2d_args *a = args;
    if (!pool2d_is_valid(a) || !a->grad_output || !a->grad_input) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * a->h);
}

#endif
