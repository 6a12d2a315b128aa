/*
 * Forward and gradient of the input with vectors: im2row of a block of pixels that fits in L2, then register tiles
 * against packed weights. Both directions are the same gather (im2row.h) and share everything after the choice of axes.
 */
#include "conv2d/depthwise.h"
#include "conv2d/im2row.h"
#include "gemm/gemm.h"

#define ALIGN(bytes) (((bytes) + 63) / 64 * 64)

/* Which way the weights are read. A row of the matrix is (tap, source channel), a column is a destination channel. */
enum direction { FORWARD, BACKWARD };

typedef struct {
    enum direction direction;
    int64_t phases_y, phases_x;    /* 1 forward */
    int64_t classes_y, classes_x;  /* phases that have taps */
    int64_t depth;                 /* largest depth of a class */
    int64_t step;                  /* how much of it one visit of a tile does */
    int64_t columns, pitch;        /* destination channels, in one group and in all */
    int64_t panels;
    int64_t taps, pack_blocks;     /* tasks of packing: taps of the largest class; blocks of channels */
    int64_t group_floats;          /* packed weights of one class and group */
    int64_t pixels, block, blocks; /* of the largest phase; in a task; tasks for all pixels */
    int64_t panel_blocks;          /* tasks for all panels */
    int64_t visit;                 /* pixels of a task that are gathered and multiplied at a time */
    int64_t row_pitch;             /* of the im2row matrix, 0: the source is read directly */
} layout;

static conv2d_gather gather_of(const tarn_conv2d_args *a, enum direction direction, int64_t phase_y, int64_t phase_x) {
    return direction == FORWARD ? conv2d_gather_forward(a) : conv2d_gather_phase(a, phase_y, phase_x);
}

/* Rows of a first operand that is kept in cache: in L1 where the second one, whole, leaves room there; else in L2. */
static int64_t block_rows(int64_t row_pitch, int64_t packed_floats) {
    const int64_t bytes = packed_floats * (int64_t)sizeof(float) <= NEAR_BYTES ? NEAR_BYTES : BLOCK_BYTES;
    return tarn_max(1, bytes / (int64_t)sizeof(float) / row_pitch / MR) * MR;
}

static layout layout_of(const tarn_conv2d_args *a, enum direction direction) {
    layout l = {.direction = direction, .phases_y = 1, .phases_x = 1, .classes_y = 1, .classes_x = 1};
    l.taps = a->kh * a->kw;
    if (direction == BACKWARD) {
        const int64_t period_y = conv2d_tap_period(a->sh, a->dh), period_x = conv2d_tap_period(a->sw, a->dw);
        l.phases_y = tarn_min(a->sh, a->h);
        l.phases_x = tarn_min(a->sw, a->w);
        l.classes_y = tarn_min(period_y, a->kh);
        l.classes_x = tarn_min(period_x, a->kw);
        l.taps = tarn_ceil_div(a->kh, period_y) * tarn_ceil_div(a->kw, period_x);
    }
    /* the phase of position 0 has the most pixels */
    const conv2d_gather g = gather_of(a, direction, 0, 0);
    l.depth = l.taps * g.channels;
    l.pack_blocks = tarn_ceil_div(g.channels, PACK_CHANNELS);
    l.pitch = direction == FORWARD ? a->oc : a->ic;
    l.columns = l.pitch / a->groups;
    l.panels = tarn_ceil_div(l.columns, NR);
    l.group_floats = l.depth * gemm_packed_columns(l.columns);
    l.pixels = a->n * g.y.grid * g.x.grid;

    l.step = tarn_ceil_div(l.depth, tarn_ceil_div(l.depth, DEPTH));
    const int64_t row_pitch = conv2d_row_pitch(l.step);
    l.row_pitch = conv2d_direct(&g) ? 0 : row_pitch;
    const int64_t parts = l.phases_y * l.phases_x * a->groups;
    const int64_t fits = block_rows(row_pitch, INT64_MAX / 8);
    const int64_t shared = tarn_ceil_div(l.pixels, tarn_ceil_div(ENOUGH_TASKS, parts));
    l.block = tarn_max(1, tarn_ceil_div(tarn_min(fits, shared), MR)) * MR;
    l.blocks = tarn_ceil_div(l.pixels, l.block);
    l.visit = tarn_min(l.block, block_rows(row_pitch, l.group_floats));
    l.panel_blocks = l.pixels ? tarn_min(l.panels, tarn_ceil_div(ENOUGH_TASKS, parts * l.blocks)) : 1;
    return l;
}

static int32_t plan(const tarn_conv2d_args *a, enum direction direction, tarn_plan *plan) {
    const layout l = layout_of(a, direction);
    const int64_t classes = l.classes_y * l.classes_x * a->groups;
    *plan = (tarn_plan){
        .tasks = {l.pixels ? classes * l.taps * l.pack_blocks : 0,
                l.phases_y * l.phases_x * a->groups * l.blocks * l.panel_blocks},
        .shared = classes * l.group_floats * (int64_t)sizeof(float),
        .scratch = ALIGN(l.visit * (int64_t)sizeof(int64_t)) + l.visit * l.row_pitch * (int64_t)sizeof(float),
        .reusable = 1,
    };
    return TARN_OK;
}

/* Rows [first, stop) of a panel: rows of one tap's matrix (input channels, pitch), or of its transpose. */
static void pack_rows(const float *tap, int64_t pitch, enum direction direction, int64_t first, int64_t stop,
        float *packed, int64_t columns, int64_t lanes) {
    if (direction == FORWARD) {
        for (int64_t c = first; c < stop; c++) {
            gemm_pack_row(packed + c * lanes, tap + c * pitch, columns, lanes);
        }
    } else {
        for (int64_t j = 0; j < lanes; j++) {
            for (int64_t o = first; o < stop; o++) {
                packed[o * lanes + j] = j < columns ? tap[j * pitch + o] : 0;
            }
        }
    }
}

/* Phase 0, a task is some source channels of one tap, in one class and group. */
static void pack(const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const layout l = layout_of(a, direction);
    const int64_t icg = a->ic / a->groups, ocg = a->oc / a->groups;
    for (int64_t task = begin; task < end; task++) {
        const int64_t c = task % l.pack_blocks * PACK_CHANNELS, t = task / l.pack_blocks % l.taps;
        const int64_t part = task / l.pack_blocks / l.taps, group = part % a->groups;
        const int64_t class_y = part / a->groups / l.classes_x, class_x = part / a->groups % l.classes_x;
        const conv2d_gather g = gather_of(a, direction, conv2d_tap_phase(class_y, a->sh, a->pt, a->dh),
                conv2d_tap_phase(class_x, a->sw, a->pl, a->dw));
        if (t >= g.y.taps * g.x.taps) {
            continue; /* a class with fewer taps than the largest */
        }
        const int64_t i = g.y.weight + t / g.x.taps * g.y.weight_step, j = g.x.weight + t % g.x.taps * g.x.weight_step;
        const float *tap = (const float *)a->weight + (i * a->kw + j) * icg * a->oc + group * ocg;
        const int64_t stop = tarn_min(c + PACK_CHANNELS, g.channels), depth = conv2d_depth(&g);
        for (int64_t column = 0; column < l.columns; column += NR) {
            const int64_t lanes = gemm_panel_lanes(l.columns, column), columns = tarn_min(lanes, l.columns - column);
            float *packed = (float *)a->shared + part * l.group_floats + depth * column + t * g.channels * lanes;
            pack_rows(tap + (direction == FORWARD ? column : column * a->oc), a->oc, direction, c, stop, packed,
                    columns, lanes);
        }
    }
}

/* Where the results of grid pixels go, in floats from the start of the destination. */
static void place_rows(const tarn_conv2d_args *a, const layout *l, const conv2d_gather *g, int64_t pixel, int64_t count,
        int64_t channel, int64_t *rows) {
    const int64_t h = l->direction == FORWARD ? a->oh : a->h, w = l->direction == FORWARD ? a->ow : a->w;
    conv2d_position at = conv2d_position_of(g, pixel);
    for (int64_t i = 0; i < count; conv2d_next_line(g, &at)) {
        const int64_t start = (at.image * h + g->y.place + at.y * g->y.place_step) * w + g->x.place;
        const int64_t stop = tarn_min(count, i + g->x.grid - at.x);
        for (int64_t x = at.x; i < stop; i++, x++) {
            rows[i] = (start + x * g->x.place_step) * l->pitch + channel;
        }
    }
}

/* Some pixels times some panels, by pieces of the depth. The epilogue goes with the last piece. */
static void multiply_pixels(const layout *l, const conv2d_gather *g, const float *source, int64_t pixel, float *block,
        gemm_product *product, const gemm_epilogue *epilogue) {
    const int64_t depth = product->panel_depth;
    /* at least once, also where there is nothing to add: every destination is written */
    for (int64_t k = 0, stop; k < tarn_max(depth, 1); k = tarn_max(stop, 1)) {
        stop = tarn_min(k + l->step, depth);
        if (l->row_pitch) {
            conv2d_im2row(g, source, pixel, product->row_count, k, stop, block, l->row_pitch);
            product->a = block;
            product->pitch = l->row_pitch;
        } else {
            product->a = source + pixel * g->pitch + k;
            product->pitch = g->pitch;
        }
        product->from = k;
        product->depth = stop - k;
        product->accumulate = k > 0;
        product->epilogue = stop == depth ? epilogue : NULL;
        gemm_block(product);
    }
}

/* Phase 1, a task is a block of pixels times a block of panels, in one phase and group. */
static void multiply(const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const layout l = layout_of(a, direction);
    int64_t *rows = a->scratch;
    float *block = (float *)((char *)a->scratch + ALIGN(l.visit * (int64_t)sizeof(int64_t)));
    for (int64_t task = begin; task < end; task++) {
        const int64_t panel_block = task % l.panel_blocks, first = task / l.panel_blocks % l.blocks * l.block;
        const int64_t part = task / l.panel_blocks / l.blocks, group = part % a->groups;
        const int64_t phase_y = part / a->groups / l.phases_x, phase_x = part / a->groups % l.phases_x;
        const conv2d_gather g = gather_of(a, direction, phase_y, phase_x);
        /* of a phase with fewer pixels than the largest, the last tasks are empty */
        const int64_t stop = tarn_min(first + l.block, a->n * g.y.grid * g.x.grid), depth = conv2d_depth(&g);
        int64_t class_of_phase = 0;
        if (direction == BACKWARD && depth > 0) {
            class_of_phase = g.y.weight % l.classes_y * l.classes_x + g.x.weight % l.classes_x;
        }
        const float *source = (const float *)(direction == FORWARD ? a->input : a->grad_output) + group * g.channels;
        const float *bias = a->bias;
        const gemm_epilogue epilogue = {bias ? bias + group * l.columns : NULL, a->residual, a->activation};
        gemm_product product = {
            .b = (const float *)a->shared + (class_of_phase * a->groups + group) * l.group_floats,
            .panel_depth = depth,
            .c = direction == FORWARD ? a->output : a->grad_input,
            .rows = rows,
            .columns = l.columns,
            .first_panel = panel_block * l.panels / l.panel_blocks,
            .end_panel = (panel_block + 1) * l.panels / l.panel_blocks,
        };
        for (int64_t pixel = first; pixel < stop; pixel += l.visit) {
            product.row_count = tarn_min(l.visit, stop - pixel);
            place_rows(a, &l, &g, pixel, product.row_count, group * l.columns, rows);
            multiply_pixels(&l, &g, source, pixel, block, &product, direction == FORWARD ? &epilogue : NULL);
        }
    }
}

/* A task is one line of a phase's grid, through all images. There is nothing to pack. */
static int32_t plan_depthwise(const tarn_conv2d_args *a, enum direction direction, tarn_plan *plan) {
    const layout l = layout_of(a, direction);
    const conv2d_gather g = gather_of(a, direction, 0, 0);
    *plan = (tarn_plan){.tasks = {0, l.phases_y * l.phases_x * a->n * g.y.grid}};
    return TARN_OK;
}

static void run_depthwise(const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const int forward = direction == FORWARD;
    const layout l = layout_of(a, direction);
    const int64_t lines = a->n * gather_of(a, direction, 0, 0).y.grid, h = forward ? a->oh : a->h,
            w = forward ? a->ow : a->w;
    for (int64_t task = begin; task < end; task++) {
        const int64_t phase = task / lines, line = task % lines;
        const conv2d_gather g = gather_of(a, direction, phase / l.phases_x, phase % l.phases_x);
        if (line >= a->n * g.y.grid) {
            continue; /* a phase with fewer lines than the largest */
        }
        const int64_t image = line / g.y.grid, qy = line % g.y.grid, y = g.y.place + qy * g.y.place_step;
        const depthwise d = {
            .gather = &g,
            .source = (const float *)(forward ? a->input : a->grad_output) + image * g.y.source * g.x.source * a->ic,
            .weight = a->weight,
            .kw = a->kw,
            .channels = a->ic,
            .destination = forward ? a->output : a->grad_input,
            .epilogue = forward ? (gemm_epilogue){a->bias, a->residual, a->activation} : (gemm_epilogue){NULL, NULL, 0},
        };
        depthwise_line(&d, qy, ((image * h + y) * w + g.x.place) * a->ic, g.x.place_step * a->ic);
    }
}

/*
 * Gradient of few input channels: as columns of the product they would leave most lanes empty. Here the columns are
 * (tap, input channel), and the products are added to the pixels that they belong to.
 */
static int scatters(const tarn_conv2d_args *a) {
    return a->groups == 1 && a->ic <= SCATTER_CHANNELS && a->kh * a->kw > 1;
}

static int64_t scatter_block(const tarn_conv2d_args *a, int64_t row_pitch) {
    return block_rows(row_pitch, a->oc * gemm_packed_columns(a->kh * a->kw * a->ic));
}

/* Tasks: panels, then images. */
static int32_t plan_scatter(const tarn_conv2d_args *a, tarn_plan *plan) {
    const int64_t columns = a->kh * a->kw * a->ic, row_pitch = conv2d_row_pitch(columns);
    *plan = (tarn_plan){
        .tasks = {a->n ? tarn_ceil_div(columns, NR) : 0, a->n},
        .shared = a->oc * gemm_packed_columns(columns) * (int64_t)sizeof(float),
        .scratch = scatter_block(a, row_pitch) * row_pitch * (int64_t)sizeof(float),
        .reusable = 1,
    };
    return TARN_OK;
}

static void pack_scatter(const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    const int64_t columns = a->kh * a->kw * a->ic;
    for (int64_t column = begin * NR; column < tarn_min(end * NR, columns); column += NR) {
        const int64_t lanes = gemm_panel_lanes(columns, column);
        pack_rows((const float *)a->weight + column * a->oc, a->oc, BACKWARD, 0, a->oc,
                (float *)a->shared + column * a->oc, tarn_min(lanes, columns - column), lanes);
    }
}

static void multiply_scatter(const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    const conv2d_gather g = conv2d_gather_forward(a);
    const int64_t columns = conv2d_depth(&g), row_pitch = conv2d_row_pitch(columns);
    const int64_t block = scatter_block(a, row_pitch);
    const int64_t pixels = a->oh * a->ow, in = a->h * a->w * a->ic;
    for (int64_t image = begin; image < end; image++) {
        conv2d_zero((float *)a->grad_input + image * in, in);
        for (int64_t pixel = image * pixels, count; pixel < (image + 1) * pixels; pixel += count) {
            count = tarn_min(block, (image + 1) * pixels - pixel);
            const gemm_product product = {
                .a = (const float *)a->grad_output + pixel * a->oc,
                .pitch = a->oc,
                .b = a->shared,
                .panel_depth = a->oc,
                .depth = a->oc,
                .c = a->scratch,
                .row_pitch = row_pitch,
                .row_count = count,
                .columns = columns,
                .end_panel = tarn_ceil_div(columns, NR),
            };
            gemm_block(&product);
            conv2d_row2im(&g, a->grad_input, pixel, count, a->scratch, row_pitch);
        }
    }
}

static int32_t plan_forward(const void *args, tarn_plan *p) {
    if (!conv2d_forward_valid(args)) {
        return TARN_BAD_ARGUMENT;
    }
    return conv2d_depthwise(args) ? plan_depthwise(args, FORWARD, p) : plan(args, FORWARD, p);
}

static int32_t forward_pack(const void *args, int64_t begin, int64_t end) {
    pack(args, FORWARD, begin, end);
    return TARN_OK;
}

static int32_t forward(const void *args, int64_t begin, int64_t end) {
    (conv2d_depthwise(args) ? run_depthwise : multiply)(args, FORWARD, begin, end);
    return TARN_OK;
}
VARIANT(conv2d_forward, conv2d, plan_forward, forward_pack, forward);

static int32_t plan_backward_data(const void *args, tarn_plan *p) {
    if (!conv2d_backward_data_valid(args)) {
        return TARN_BAD_ARGUMENT;
    }
    return conv2d_depthwise(args) ? plan_depthwise(args, BACKWARD, p)
           : scatters(args)       ? plan_scatter(args, p)
                                  : plan(args, BACKWARD, p);
}

static int32_t backward_data_pack(const void *args, int64_t begin, int64_t end) {
    if (scatters(args)) {
        pack_scatter(args, begin, end);
    } else {
        pack(args, BACKWARD, begin, end);
    }
    return TARN_OK;
}

static int32_t backward_data(const void *args, int64_t begin, int64_t end) {
    if (conv2d_depthwise(args)) {
        run_depthwise(args, BACKWARD, begin, end);
    } else if (scatters(args)) {
        multiply_scatter(args, begin, end);
    } else {
        multiply(args, BACKWARD, begin, end);
    }
    return TARN_OK;
}
VARIANT(conv2d_backward_data, conv2d, plan_backward_data, backward_data_pack, backward_data);
