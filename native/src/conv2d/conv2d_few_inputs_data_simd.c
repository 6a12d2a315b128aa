/*
 * Gradient of an input with few channels, which as columns of a product would leave most lanes empty. Here columns are
 * all channels of a line of the window: a line of the gradient is a product of grad_output's lines with those weights,
 * of which each row belongs to a run of pixels, and runs of neighbours overlap. Rows are written so that they do not:
 * into a few planes of that line, each with every so many rows side by side, which are then added.
 */
#include "conv2d/im2row.h"
#include "gemm/gemm.h"
#include "gemm/pack_transposed.h"

#define MAX_INPUTS 8

typedef struct {
    int64_t columns;            /* (window column, input channel) */
    int64_t classes, taps;      /* lines of the window: sets that meet in a line of the gradient, and the largest one */
    int64_t class_floats;       /* packed weights of a class */
    int64_t planes, plane;      /* and floats of one */
    int64_t tasks;
} layout;

static layout layout_of(const tarn_conv2d_args *a) {
    const int64_t period = conv2d_tap_period(a->sh, a->dh);
    layout l = {.columns = a->kw * a->ic, .classes = tarn_min(period, a->kh), .taps = tarn_ceil_div(a->kh, period)};
    l.class_floats = l.taps * a->oc * gemm_packed_columns(l.columns);
    l.planes = tarn_ceil_div(a->kw, a->sw);
    l.plane = conv2d_row_pitch(tarn_max((a->ow - 1) * a->sw + a->kw, a->pl + a->w) * a->ic + LANES);
    l.tasks = tarn_min(ENOUGH_TASKS, a->n * a->h);
    return l;
}

static int accepts(const tarn_conv2d_args *a) {
    const int64_t floats = TARN_PRODUCT(tarn_max(a->ow * a->sw + a->kw, a->pl + a->w), a->ic, a->kw);
    return a->groups == 1 && a->ic <= MAX_INPUTS && a->dw == 1 && !conv2d_depthwise(a) && a->kh * a->kw > 1
            && 2 * a->kw * a->ic > LANES && floats > 0 && floats <= BLOCK_BYTES / (int64_t)sizeof(float);
}

/* Tasks: lines of the window, then blocks of lines of the gradient. */
static int32_t plan(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_backward_data_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    if (!accepts(a)) {
        return TARN_DECLINED;
    }
    const layout l = layout_of(a);
    *plan = (tarn_plan){
        .tasks = {a->n ? a->kh : 0, l.tasks},
        .shared = l.classes * l.class_floats * (int64_t)sizeof(float),
        .scratch = a->ow * (int64_t)sizeof(int64_t) + l.planes * l.plane * (int64_t)sizeof(float),
        .reusable = 1,
    };
    return TARN_OK;
}

static conv2d_axis lines_of_phase(const tarn_conv2d_args *a, int64_t phase) {
    return conv2d_axis_phase(a->h, a->oh, a->kh, a->sh, a->pt, a->dh, phase);
}

/* Phase 0. Lines of the window that meet are packed in the order in which a product reads them. */
static int32_t pack(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    for (int64_t i = begin; i < end; i++) {
        const conv2d_axis y = lines_of_phase(a, conv2d_tap_phase(i, a->sh, a->pt, a->dh));
        const int64_t tap = (i - y.weight) / y.weight_step;
        for (int64_t column = 0; column < l.columns; column += NR) {
            const int64_t lanes = gemm_panel_lanes(l.columns, column);
            gemm_pack_transposed((float *)a->shared + i % l.classes * l.class_floats + y.taps * a->oc * column
                            + tap * a->oc * lanes,
                    (const float *)a->weight + (i * l.columns + column) * a->oc, a->oc, a->oc,
                    tarn_min(lanes, l.columns - column), lanes);
        }
    }
    return TARN_OK;
}

/* Writes the rows of one line of the gradient. */
static void multiply_line(const tarn_conv2d_args *a, const layout *l, int64_t image, int64_t line, const int64_t *rows,
        float *planes) {
    const conv2d_axis y = lines_of_phase(a, line % a->sh);
    int64_t source = line / a->sh + y.first, tap = 0, stop = y.taps;
    for (; tap < stop && source < 0; tap++) {
        source += y.step;
    }
    while (stop > tap && source + (stop - 1 - tap) * y.step >= a->oh) {
        stop--;
    }
    gemm_block(&(gemm_product){
        .a = (const float *)a->grad_output + (image * a->oh + (tap < stop ? source : 0)) * a->ow * a->oc,
        .pitch = a->oc,
        .b = (const float *)a->shared + (y.taps ? y.weight % l->classes * l->class_floats : 0),
        .panel_depth = y.taps * a->oc,
        .from = tap * a->oc,
        .depth = tap < stop ? a->oc : 0,
        .runs = stop - tap,
        .run_pitch = y.step * a->ow * a->oc,
        .c = planes,
        .rows = rows,
        .row_count = a->ow,
        .columns = l->columns,
        .end_panel = tarn_ceil_div(l->columns, NR),
    });
}

/* One line of the gradient: its planes, and the other gradient. */
static void add_planes(const tarn_conv2d_args *a, const layout *l, const float *planes, int64_t at) {
    const int64_t count = a->w * a->ic;
    planes += a->pl * a->ic;
    for (int64_t i = 0; i < count; i += LANES) {
        const int64_t n = tarn_min(LANES, count - i);
        vec sum = vec_load(planes + i);
        for (int64_t p = 1; p < l->planes; p++) {
            sum = vec_add(sum, vec_load(planes + p * l->plane + i));
        }
        if (a->residual) {
            sum = vec_add(sum, vec_load_upto((const float *)a->residual + at + i, n));
        }
        vec_store_upto((float *)a->grad_input + at + i, sum, n);
    }
}

/* Phase 1, a task is a block of lines of the gradient. */
static int32_t backward_data(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    float *planes = a->scratch;
    int64_t *rows = (int64_t *)(planes + l.planes * l.plane);
    for (int64_t x = 0; x < a->ow; x++) {
        rows[x] = x % l.planes * l.plane + x * a->sw * a->ic;
    }
    conv2d_zero(planes, l.planes * l.plane); /* rows leave gaps */
    const int64_t stop = tarn_cut(a->n * a->h, l.tasks, end);
    for (int64_t line = tarn_cut(a->n * a->h, l.tasks, begin); line < stop; line++) {
        multiply_line(a, &l, line / a->h, line % a->h, rows, planes);
        add_planes(a, &l, planes, line * a->w * a->ic);
    }
    return TARN_OK;
}
VARIANT_NAMED(conv2d_backward_data, few_inputs, conv2d, plan, pack, backward_data);
