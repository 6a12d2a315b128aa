/* Plans of the operations that move data, the same at every level. */
#ifndef TARN_LAYOUT_H
#define TARN_LAYOUT_H

#include "rows.h"

/* One task is a block of rows. Channels outside [output_channel, output_channel + c) of output stay as they are in copy_channels
 * and become zero in pad_channels. */
static int32_t plan_copy_channels(const void *args, tarn_plan *plan) {
    const tarn_channels_args *a = args;
    if (TARN_PRODUCT(a->hw, a->c) < 1 || TARN_PRODUCT(a->n, a->hw, a->input_pitch) < 0
        || TARN_PRODUCT(a->n, a->hw, a->output_pitch) < 0 || a->input_channel < 0 || a->output_channel < 0
        || a->c > a->input_pitch || a->input_channel > a->input_pitch - a->c || a->c > a->output_pitch
        || a->output_channel > a->output_pitch - a->c || !a->input || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, rows_blocks(a->n * a->hw, a->c));
}

/* One task is a band of this many rows of one of the n matrices; tiles of every vector width divide it. */
#define TRANSPOSE_BAND ((int64_t)64)

static int32_t plan_transpose(const void *args, tarn_plan *plan) {
    const tarn_transpose_args *a = args;
    if (TARN_PRODUCT(a->rows, a->cols) < 1 || TARN_PRODUCT(a->n, a->rows, a->cols) < 0 || !a->input || !a->output) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, a->n * tarn_ceil_div(a->rows, TRANSPOSE_BAND));
}

/* A task's matrices, and its rows [*first, *stop). */
static inline void transpose_band(const tarn_transpose_args *a, int64_t task, const element **input, element **output,
        int64_t *first, int64_t *stop) {
    int64_t bands = tarn_ceil_div(a->rows, TRANSPOSE_BAND), matrix = task / bands * a->rows * a->cols;
    *input = (const element *)a->input + matrix;
    *output = (element *)a->output + matrix;
    *first = task % bands * TRANSPOSE_BAND;
    *stop = tarn_min(a->rows, *first + TRANSPOSE_BAND);
}

#endif
