/*
 * Gradient of the weights with vectors: im2row transposed times grad_output. A task takes a chunk of the pixels and
 * some rows of grad_weight; chunks have private sums, which phase 1 adds in order. One chunk adds to grad_weight at
 * once.
 */
#define GEMM_TRANSPOSED 1

#include "conv2d/im2row.h"
#include "conv2d/private_sums.h"
#include "gemm/gemm.h"

typedef struct {
    int64_t depth, step, steps;     /* rows of grad_weight: all, in a task, tasks for all */
    int64_t columns, packed;        /* output channels of a group, and as packed */
    int64_t pixels, chunk, chunks;  /* all, in a task, tasks for all */
    int64_t row_pitch;              /* of the im2row matrix, 0: the input is read directly */
} layout;

static layout layout_of(const tarn_conv2d_args *a) {
    const conv2d_gather g = conv2d_gather_forward(a);
    layout l = {.depth = conv2d_depth(&g), .columns = a->oc / a->groups, .pixels = a->n * a->oh * a->ow};
    l.packed = gemm_packed_columns(l.columns);
    l.steps = tarn_ceil_div(l.depth, WEIGHT_DEPTH);
    /* as many chunks as make enough tasks, if the private sums stay small and a chunk is worth its sum */
    int64_t chunks = tarn_ceil_div(ENOUGH_TASKS, l.steps * a->groups);
    chunks = tarn_min(chunks, PARTIAL_BYTES / (int64_t)sizeof(float) / conv2d_weights(a));
    chunks = tarn_max(1, tarn_min(chunks, l.pixels / (2 * WEIGHT_PIXELS)));
    l.chunk = tarn_max(1, tarn_ceil_div(l.pixels, chunks));
    l.chunks = tarn_ceil_div(l.pixels, l.chunk);
    if (l.chunks == 1) {
        l.steps = tarn_max(l.steps, tarn_min(ENOUGH_TASKS / 2, tarn_ceil_div(l.depth, 2 * MR)));
    }
    l.step = tarn_ceil_div(tarn_ceil_div(l.depth, l.steps), MR) * MR;
    l.steps = tarn_ceil_div(l.depth, l.step);
    l.row_pitch = conv2d_direct(&g) ? 0 : conv2d_row_pitch(tarn_min(l.step, l.depth));
    return l;
}

static int32_t plan(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_backward_weight_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    const layout l = layout_of(a);
    const int64_t weights = conv2d_weights(a);
    *plan = (tarn_plan){
        .tasks = {a->groups * l.chunks * l.steps, l.chunks > 1 ? tarn_ceil_div(weights, REDUCE_TASK) : 0},
        .shared = l.chunks > 1 ? l.chunks * weights * (int64_t)sizeof(float) : 0,
        .scratch = WEIGHT_PIXELS * (l.packed + l.row_pitch) * (int64_t)sizeof(float),
    };
    return TARN_OK;
}

/* Phase 0, a task is a chunk of pixels and a block of rows of grad_weight, in one group. */
static int32_t backward_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    const conv2d_gather g = conv2d_gather_forward(a);
    float *packed = a->scratch, *block = packed + WEIGHT_PIXELS * l.packed;
    for (int64_t task = begin; task < end; task++) {
        const int64_t k = task % l.steps * l.step, rows = tarn_min(l.step, l.depth - k);
        const int64_t chunk = task / l.steps % l.chunks, group = task / l.steps / l.chunks;
        const int64_t first = chunk * l.chunk, stop = tarn_min(first + l.chunk, l.pixels);
        const float *input = (const float *)a->input + group * g.channels;
        const float *grad_output = (const float *)a->grad_output + group * l.columns;
        float *sum = l.chunks > 1 ? (float *)a->shared + chunk * conv2d_weights(a) : a->grad_weight;
        for (int64_t pixel = first; pixel < stop; pixel += WEIGHT_PIXELS) {
            const int64_t count = tarn_min(WEIGHT_PIXELS, stop - pixel);
            for (int64_t column = 0; column < l.columns; column += NR) {
                const int64_t lanes = gemm_panel_lanes(l.columns, column);
                for (int64_t p = 0; p < count; p++) {
                    gemm_pack_row(packed + count * column + p * lanes, grad_output + (pixel + p) * a->oc + column,
                            tarn_min(lanes, l.columns - column), lanes);
                }
            }
            gemm_product product = {
                .a = l.row_pitch ? block : input + pixel * g.pitch + k,
                .pitch = l.row_pitch ? l.row_pitch : g.pitch,
                .b = packed,
                .panel_depth = count,
                .depth = count,
                .c = sum + k * a->oc + group * l.columns,
                .row_pitch = a->oc,
                .row_count = rows,
                .columns = l.columns,
                .end_panel = tarn_ceil_div(l.columns, NR),
                .accumulate = l.chunks == 1 || pixel > first,
            };
            if (l.row_pitch) {
                conv2d_im2row(&g, input, pixel, count, k, k + rows, block, l.row_pitch);
            } else if (pixel + count < stop) { /* a tile reads a few channels of many pixels: no prefetcher follows that */
                product.following = input + (pixel + count) * g.pitch;
                product.following_floats = count * g.pitch;
            }
            gemm_block(&product);
        }
    }
    return TARN_OK;
}

static int32_t reduce(const void *args, int64_t begin, int64_t end) {
    conv2d_reduce(args, layout_of(args).chunks, begin, end);
    return TARN_OK;
}
VARIANT(conv2d_backward_weight, conv2d, plan, backward_weight, reduce);
