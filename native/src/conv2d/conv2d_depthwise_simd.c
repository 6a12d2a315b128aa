/*
 * Depthwise convolution with vectors over channels, in all directions. Forward and the gradient of the input are the
 * same gather (im2row.h) with other axes. The gradient of the weights takes chunks of the lines, which have private
 * sums; one chunk adds to grad_weight at once.
 */
#include "conv2d/depthwise_gather.h"
#include "conv2d/depthwise_weight.h"
#include "conv2d/private_sums.h"
#include "conv2d/stream.h"

typedef struct {
    int64_t phases_y, phases_x; /* 1 forward */
    int64_t lines;              /* of a group */
    int64_t of_image, groups;   /* groups of lines in the largest phase: of one image, of all */
    depthwise_blocks blocks;    /* tasks */
} layout;

static layout layout_of(const tarn_conv2d_args *a, enum direction direction) {
    layout l = {.phases_y = 1, .phases_x = 1};
    if (direction == BACKWARD) {
        l.phases_y = tarn_min(a->sh, a->h);
        l.phases_x = tarn_min(a->sw, a->w);
    }
    const int64_t grid = conv2d_gather_of(a, direction, 0, 0).y.grid;
    l.lines = depthwise_group_lines(a->n, grid);
    l.of_image = tarn_ceil_div(grid, l.lines);
    l.groups = a->n * l.of_image;
    l.blocks = depthwise_share(l.groups, a->ic);
    return l;
}

static int32_t plan(const tarn_conv2d_args *a, enum direction direction, tarn_plan *plan) {
    if (!conv2d_depthwise(a)) {
        return TARN_DECLINED;
    }
    const depthwise_blocks b = layout_of(a, direction).blocks;
    *plan = (tarn_plan){.tasks = {b.groups * b.channels}};
    return TARN_OK;
}

/* A task is a block of groups of lines, in all phases, times a block of channels. */
static void gather(const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const int forward = direction == FORWARD;
    const layout l = layout_of(a, direction);
    const depthwise_blocks b = l.blocks;
    const int64_t h = forward ? a->oh : a->h, w = forward ? a->ow : a->w, phases = l.phases_y * l.phases_x;
    const float *source = forward ? a->input : a->grad_output, *bias = forward ? a->bias : NULL;
    const float *residual = a->residual;
    float *result = forward ? a->output : a->grad_input;
    const int64_t far = depthwise_far(a->n * (forward ? a->h * a->w : a->oh * a->ow) * a->ic);
    const int64_t stream = conv2d_streams(result, a->n * h * w * a->ic, a->ic);
    const int64_t line = (forward ? 1 : l.phases_y) * w * a->ic;
    const int64_t lines = stream && stream_rows_collide(line, DEPTHWISE_LINES) ? 1 : DEPTHWISE_LINES;
    const int64_t far_result = far && !stream && a->ic >= 64; /* short pixels follow each other, and prefetchers them */
    for (int64_t task = begin; task < end; task++) {
        const int64_t c = depthwise_channel(a->ic, b.channels, task % b.channels);
        const int64_t channels = depthwise_channel(a->ic, b.channels, task % b.channels + 1) - c;
        const int64_t block = task / b.channels, stop = tarn_cut(l.groups, b.groups, block + 1) * phases;
        for (int64_t i = tarn_cut(l.groups, b.groups, block) * phases; i < stop; i++) {
            /* phases inside: those of one group read the same source */
            const int64_t phase = i % phases, group = i / phases;
            const conv2d_gather g = conv2d_gather_of(a, direction, phase / l.phases_x, phase % l.phases_x);
            const int64_t image = group / l.of_image, qy = group % l.of_image * l.lines;
            const int64_t place = ((image * h + g.y.place) * w + g.x.place) * a->ic + c;
            const depthwise d = {
                .gather = &g,
                .source = source + image * g.y.source * g.x.source * a->ic + c,
                .weight = (float *)a->weight + c,
                .kw = a->kw,
                .channels = channels,
                .result = result + place,
                .line = g.y.place_step * w * a->ic * FLOAT_BYTES,
                .pixel = g.x.place_step * a->ic * FLOAT_BYTES,
                .bias = bias ? bias + c : NULL,
                .residual = residual ? residual + place : NULL,
                .activation = forward ? ACTIVATION_OF(a) : NO_ACTIVATION,
                .lines = lines,
                .far = far,
                .far_result = far_result,
                .stream = stream,
            };
            depthwise_lines(&d, qy, tarn_min(qy + l.lines, g.y.grid), depthwise_gather_tiles);
        }
    }
    if (stream) {
        vec_stream_end();
    }
}

static int32_t plan_forward(const void *args, tarn_plan *p) {
    return conv2d_forward_valid(args) ? plan(args, FORWARD, p) : TARN_BAD_ARGUMENT;
}

static int32_t forward(const void *args, int64_t begin, int64_t end) {
    gather(args, FORWARD, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_forward, depthwise, conv2d, plan_forward, forward);

static int32_t plan_backward_data(const void *args, tarn_plan *p) {
    return conv2d_backward_data_valid(args) ? plan(args, BACKWARD, p) : TARN_BAD_ARGUMENT;
}

static int32_t backward_data(const void *args, int64_t begin, int64_t end) {
    gather(args, BACKWARD, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_backward_data, depthwise, conv2d, plan_backward_data, backward_data);

/* As many chunks as make enough tasks, if the private sums stay small. */
static layout weight_layout_of(const tarn_conv2d_args *a) {
    layout l = layout_of(a, FORWARD);
    l.blocks.groups = tarn_min(l.blocks.groups, tarn_max(1, tarn_min(ENOUGH_TASKS,
            PARTIAL_BYTES / (int64_t)sizeof(float) / conv2d_weights(a))));
    return l;
}

static int32_t plan_backward_weight(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_backward_weight_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    if (!conv2d_depthwise(a)) {
        return TARN_DECLINED;
    }
    const depthwise_blocks b = weight_layout_of(a).blocks;
    const int64_t weights = conv2d_weights(a);
    *plan = (tarn_plan){
        .tasks = {b.groups * b.channels, b.groups > 1 ? tarn_ceil_div(weights, REDUCE_TASK) : 0},
        .shared = b.groups > 1 ? b.groups * weights * (int64_t)sizeof(float) : 0,
    };
    return TARN_OK;
}

/* Phase 0, a task is a chunk of groups of lines times a block of channels. */
static int32_t backward_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const conv2d_gather g = conv2d_gather_forward(a);
    const layout l = weight_layout_of(a);
    const depthwise_blocks b = l.blocks;
    for (int64_t task = begin; task < end; task++) {
        const int64_t chunk = task / b.channels, c = depthwise_channel(a->ic, b.channels, task % b.channels);
        const int64_t channels = depthwise_channel(a->ic, b.channels, task % b.channels + 1) - c;
        float *sum = (float *)(b.groups > 1 ? a->shared : a->grad_weight) + chunk * conv2d_weights(a) + c;
        for (int64_t tap = 0; tap < a->kh * a->kw && b.groups > 1; tap++) {
            conv2d_zero(sum + tap * a->ic, channels);
        }
        const int64_t stop = tarn_cut(l.groups, b.groups, chunk + 1);
        for (int64_t group = tarn_cut(l.groups, b.groups, chunk); group < stop; group++) {
            const int64_t image = group / l.of_image, qy = group % l.of_image * l.lines;
            const depthwise d = {
                .gather = &g,
                .source = (const float *)a->input + image * a->h * a->w * a->ic + c,
                .weight = sum,
                .kw = a->kw,
                .channels = channels,
                .result = (float *)a->grad_output + image * a->oh * a->ow * a->ic + c,
                .line = a->ow * a->ic * FLOAT_BYTES,
                .pixel = a->ic * FLOAT_BYTES,
                .lines = DEPTHWISE_LINES,
                .far = depthwise_far(a->n * a->h * a->w * a->ic),
            };
            depthwise_lines(&d, qy, tarn_min(qy + l.lines, a->oh), depthwise_weight_tiles);
        }
    }
    return TARN_OK;
}

static int32_t reduce(const void *args, int64_t begin, int64_t end) {
    conv2d_reduce(args, weight_layout_of(args).blocks.groups, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_backward_weight, depthwise, conv2d, plan_backward_weight, backward_weight, reduce);
