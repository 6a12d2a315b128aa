/*
 * Forward and gradient of the input with vectors: a block of pixels that fits in L2, times packed weights, in register
 * tiles. The block is the source itself where windows are single pixels; forward it is padded lines where those are
 * wide (padded_lines.h); else a row gathered for each pixel (im2row.h). Both directions are the same gather and share
 * everything after the choice of axes.
 */
#define GEMM_WIDE 1

#include "conv2d/im2row.h"
#include "conv2d/pack.h"
#include "conv2d/padded_lines.h"
#include "conv2d/stream.h"

#define ALIGN(bytes) (((bytes) + 63) / 64 * 64)

typedef struct {
    enum direction direction;
    int64_t phases_y, phases_x;    /* 1 forward */
    int64_t classes_y, classes_x;  /* phases that have taps */
    int64_t depth;                 /* rows of the largest class' matrix, each a tap and a source channel */
    int64_t step;                  /* how much of it one visit of a tile does */
    int64_t columns, pitch;        /* destination channels, in one group and in all */
    int64_t width, panels;         /* lanes of a panel of weights, and how many there are */
    int64_t taps, pack_blocks;     /* tasks of packing: taps of the largest class; blocks of input channels */
    int64_t group_floats;          /* packed weights of one class and group */
    int64_t blocks, panel_blocks;  /* tasks for all pixels of a phase, and for all panels */
    int64_t unit;                  /* pixels by which tasks are cut: a tile, or with padded lines a line */
    int64_t visit;                 /* pixels of a task that are gathered and multiplied at a time */
    int64_t scratch;               /* bytes for a visit of this or any smaller batch */
    int64_t padded;                /* 1: what is gathered are padded lines, not rows */
    int64_t row_pitch;             /* of the im2row matrix, 0: the source is read directly */
    int64_t stream;                /* 1: the destination does not fit caches, and its rows are whole vectors */
} layout;

/* Rows of a first operand that is kept in cache: in L1 where the second one, whole, leaves room there; else in L2. */
static int64_t block_rows(int64_t row_pitch, int64_t packed_floats) {
    const int64_t bytes = packed_floats * (int64_t)sizeof(float) <= NEAR_BYTES ? NEAR_BYTES : BLOCK_BYTES;
    return tarn_max(1, bytes / (int64_t)sizeof(float) / row_pitch / MR) * MR;
}

/*
 * Tasks of equal size: ENOUGH_TASKS or a multiple, so that threads which take equal portions end together. More blocks
 * of pixels read the weights more often, more blocks of panels gather the pixels more often: the cheaper cut is taken.
 * fits: pixels that stay in cache.
 */
static void share_out(layout *l, int64_t pixels, int64_t parts, int64_t fits) {
    const int64_t want = tarn_ceil_div(ENOUGH_TASKS, parts), units = tarn_ceil_div(pixels, l->unit);
    /* to gather costs a few times what reading does */
    const double gathered = (double)pixels * (double)l->depth * (l->row_pitch ? 4 : 1);
    int64_t most = -1;
    double least = 0;
    for (int64_t panel_blocks = 1; panel_blocks <= tarn_min(l->panels, want); panel_blocks *= 2) {
        const int64_t blocks = tarn_min(units, want / panel_blocks), tasks = blocks * panel_blocks;
        const double reads = (double)blocks * (double)l->group_floats + (double)panel_blocks * gathered;
        if (tasks > most || (tasks == most && reads < least)) {
            most = tasks;
            least = reads;
            l->blocks = blocks;
            l->panel_blocks = panel_blocks;
        }
    }
    if (pixels / fits >= want) {
        l->blocks = tarn_min(units, tarn_ceil_div(tarn_ceil_div(pixels, fits), want) * want);
        l->panel_blocks = 1;
    }
    l->visit = l->blocks ? tarn_ceil_div(units, l->blocks) * l->unit : 0;
}

/* The first pixel of a block, which begins at a unit. */
static int64_t start_of(const layout *l, int64_t pixels, int64_t block) {
    const int64_t units = tarn_ceil_div(pixels, l->unit);
    return units ? tarn_cut(pixels, units, tarn_cut(units, l->blocks, block)) : 0;
}

/* Where a visit's results go, and what it gathers. */
static int64_t scratch_bytes(int64_t pixels, int64_t gathered) {
    return ALIGN(pixels * (int64_t)sizeof(int64_t)) + gathered * (int64_t)sizeof(float);
}

/* Tiles of a line should be two thirds full. */
static int reads_lines(const conv2d_gather *g) {
    return padded_lines_fit(g) && 3 * g->x.grid >= 2 * MR * tarn_ceil_div(g->x.grid, MR);
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
    const conv2d_gather g = conv2d_gather_of(a, direction, 0, 0);
    l.depth = l.taps * g.channels;
    l.pitch = direction == FORWARD ? a->oc : a->ic;
    l.columns = l.pitch / a->groups;
    l.pack_blocks = tarn_ceil_div(a->ic / a->groups, PACK_CHANNELS);
    l.group_floats = l.depth * gemm_packed_columns(l.columns);
    const int direct = conv2d_direct(&g);
    l.width = direct && l.depth <= WIDE_DEPTH && l.group_floats <= WIDE_FLOATS ? WIDE_VECTORS * LANES : NR;
    l.panels = tarn_ceil_div(l.columns, l.width);
    l.step = tarn_ceil_div(l.depth, tarn_ceil_div(l.depth, direct ? DIRECT_DEPTH : DEPTH));
    const int64_t row_pitch = conv2d_row_pitch(l.step);
    l.row_pitch = direct ? 0 : row_pitch;
    const int64_t rows = (MR + 1) / 2; /* these write whole lines, of which two may share a place, but not three */
    l.stream = (direction == FORWARD ? conv2d_streams(a->output, a->n * a->oh * a->ow * a->oc, l.columns)
                                     : conv2d_streams(a->grad_input, a->n * a->h * a->w * a->ic, l.columns))
            && !stream_rows_collide(l.phases_x * l.pitch, rows);
    const int64_t pixels = a->n * g.y.grid * g.x.grid, parts = l.phases_y * l.phases_x * a->groups;
    l.padded = direction == FORWARD && l.row_pitch && reads_lines(&g);
    if (l.padded) {
        const padded_lines p = padded_lines_of(&g);
        const int64_t read = BLOCK_BYTES / (int64_t)sizeof(float) / p.pitch - padded_lines_read(&g, 1);
        const int64_t lines = tarn_min(g.y.grid, read > 0 ? read / g.y.stride + 1 : 1);
        l.unit = g.x.grid;
        share_out(&l, pixels, parts, lines * l.unit);
        const int64_t most = tarn_min(lines, a->n * g.y.grid);
        l.visit = tarn_min(l.visit, most * l.unit);
        l.scratch = scratch_bytes(most * l.unit, most ? padded_lines_read(&g, most) * p.pitch : 0);
    } else {
        l.unit = MR;
        share_out(&l, pixels, parts, block_rows(row_pitch, INT64_MAX / 8));
        const int64_t most = tarn_min(block_rows(row_pitch, l.group_floats), tarn_ceil_div(pixels, MR) * MR);
        l.visit = tarn_min(l.visit, most);
        l.scratch = scratch_bytes(most, most * l.row_pitch);
    }
    return l;
}

static int32_t plan(const tarn_conv2d_args *a, enum direction direction, tarn_plan *plan) {
    const layout l = layout_of(a, direction);
    const int64_t classes = l.classes_y * l.classes_x * a->groups;
    *plan = (tarn_plan){
        .tasks = {a->n ? classes * l.taps * l.pack_blocks : 0,
                l.phases_y * l.phases_x * a->groups * l.blocks * l.panel_blocks},
        .shared = classes * l.group_floats * (int64_t)sizeof(float),
        .scratch = l.scratch,
        .reusable = 1,
    };
    return TARN_OK;
}

/*
 * Phase 0, a task is some input channels of one tap, in one class and group: whole rows of the weights. Forward those
 * are rows of the matrix, backward columns.
 */
static void pack(const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const layout l = layout_of(a, direction);
    const int64_t icg = a->ic / a->groups, ocg = a->oc / a->groups;
    for (int64_t task = begin; task < end; task++) {
        const int64_t begin_channel = task % l.pack_blocks * PACK_CHANNELS, t = task / l.pack_blocks % l.taps;
        const int64_t part = task / l.pack_blocks / l.taps, group = part % a->groups;
        const int64_t class_y = part / a->groups / l.classes_x, class_x = part / a->groups % l.classes_x;
        const conv2d_gather g = conv2d_gather_of(a, direction, conv2d_tap_phase(class_y, a->sh, a->pt, a->dh),
                conv2d_tap_phase(class_x, a->sw, a->pl, a->dw));
        if (t >= g.y.taps * g.x.taps) {
            continue; /* a class with fewer taps than the largest */
        }
        const int64_t i = g.y.weight + t / g.x.taps * g.y.weight_step, j = g.x.weight + t % g.x.taps * g.x.weight_step;
        const float *tap = (const float *)a->weight + (i * a->kw + j) * icg * a->oc + group * ocg;
        const int64_t end_channel = tarn_min(begin_channel + PACK_CHANNELS, icg), depth = conv2d_depth(&g);
        const int64_t first = direction == FORWARD ? begin_channel : 0, stop = direction == FORWARD ? end_channel : ocg;
        const int64_t end_column = direction == FORWARD ? ocg : end_channel;
        for (int64_t column = direction == FORWARD ? 0 : begin_channel; column < end_column; column += l.width) {
            const int64_t lanes = gemm_lanes(l.width, l.columns, column), columns = tarn_min(lanes, l.columns - column);
            float *packed = (float *)a->shared + part * l.group_floats + depth * column + t * g.channels * lanes;
            conv2d_pack_rows(tap + (direction == FORWARD ? column : column * a->oc), a->oc, direction, first, stop, packed,
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
            product->cold = 1;
        }
        product->from = k;
        product->depth = stop - k;
        product->accumulate = k > 0;
        product->epilogue = stop == depth ? epilogue : NULL;
        product->stream = l->stream && stop == depth && k == 0;
        gemm_block(product);
    }
}

/* Copied lines times packed weights. product: all but A and the steps; the epilogue goes with the last step. */
static void multiply_lines(const conv2d_gather *g, const padded_lines *l, const float *copied,
        gemm_product *product, const gemm_epilogue *epilogue, int64_t stream) {
    product->pitch = g->x.stride * g->channels;
    product->line_pitch = g->y.stride * l->pitch;
    for (int64_t i = 0; i < g->y.taps; i += l->rows) {
        for (int64_t k = 0; k < l->run; k += l->piece) {
            product->a = copied + i * g->y.step * l->pitch + k;
            product->from = i * l->run + k;
            product->depth = tarn_min(l->piece, l->run - k);
            product->runs = tarn_min(l->rows, g->y.taps - i);
            product->run_pitch = g->y.step * l->pitch;
            const int last = i + l->rows >= g->y.taps && k + l->piece >= l->run;
            product->accumulate = product->from > 0;
            product->epilogue = last ? epilogue : NULL;
            product->stream = stream && last && product->from == 0;
            gemm_block(product);
        }
    }
}

/* Phase 1, a task is a block of pixels times a block of panels, in one phase and group. */
static void multiply(const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const layout l = layout_of(a, direction);
    const int64_t parts = l.phases_y * l.phases_x * a->groups;
    int64_t *rows = a->scratch;
    float *block = (float *)((char *)a->scratch + ALIGN(l.visit * (int64_t)sizeof(int64_t)));
    for (int64_t task = begin; task < end; task++) {
        /* parts first: those of one block of pixels read the same source, and differ in length */
        const int64_t part = task % parts, panel_block = task / parts % l.panel_blocks;
        const int64_t pixel_block = task / parts / l.panel_blocks, group = part % a->groups;
        const int64_t phase_y = part / a->groups / l.phases_x, phase_x = part / a->groups % l.phases_x;
        const conv2d_gather g = conv2d_gather_of(a, direction, phase_y, phase_x);
        const int64_t pixels = a->n * g.y.grid * g.x.grid, depth = conv2d_depth(&g);
        const int64_t first = start_of(&l, pixels, pixel_block);
        const int64_t stop = start_of(&l, pixels, pixel_block + 1);
        int64_t class_of_phase = 0;
        if (direction == BACKWARD && depth > 0) {
            class_of_phase = g.y.weight % l.classes_y * l.classes_x + g.x.weight % l.classes_x;
        }
        const float *source = (const float *)(direction == FORWARD ? a->input : a->grad_output) + group * g.channels;
        const float *bias = direction == FORWARD ? a->bias : NULL;
        const gemm_epilogue epilogue = {bias ? bias + group * l.columns : NULL, a->residual,
                direction == FORWARD ? ACTIVATION_OF(a) : NO_ACTIVATION};
        gemm_product product = {
            .b = (const float *)a->shared + (class_of_phase * a->groups + group) * l.group_floats,
            .panel_depth = depth,
            .c = direction == FORWARD ? a->output : a->grad_input,
            .rows = rows,
            .columns = l.columns,
            .width = l.width,
            .first_panel = panel_block * l.panels / l.panel_blocks,
            .end_panel = (panel_block + 1) * l.panels / l.panel_blocks,
        };
        const int64_t of_image = g.y.grid * g.x.grid;
        for (int64_t pixel = first, count; pixel < stop; pixel += count) {
            count = tarn_min(l.visit, stop - pixel);
            if (l.padded) {
                const padded_lines p = padded_lines_of(&g);
                const int64_t image = pixel / of_image, place = pixel % of_image;
                count = tarn_min(count, of_image - place);
                product.lines = count / g.x.grid;
                product.row_count = g.x.grid;
                place_rows(a, &l, &g, pixel, count, 0, rows);
                padded_lines_copy(&g, &p, source + image * g.y.source * g.x.source * g.pitch, place / g.x.grid,
                        product.lines, block);
                multiply_lines(&g, &p, block, &product, &epilogue, l.stream);
            } else {
                product.row_count = count;
                place_rows(a, &l, &g, pixel, count, group * l.columns, rows);
                multiply_pixels(&l, &g, source, pixel, block, &product, &epilogue);
            }
        }
    }
    if (l.stream) {
        vec_stream_end();
    }
}

static int32_t plan_forward(const void *args, tarn_plan *p) {
    if (!conv2d_forward_valid(args)) {
        return TARN_BAD_ARGUMENT;
    }
    return plan(args, FORWARD, p);
}

static int32_t forward_pack(const void *args, int64_t begin, int64_t end) {
    pack(args, FORWARD, begin, end);
    return TARN_OK;
}

static int32_t forward(const void *args, int64_t begin, int64_t end) {
    multiply(args, FORWARD, begin, end);
    return TARN_OK;
}
VARIANT(conv2d_forward, conv2d, plan_forward, forward_pack, forward);

static int32_t plan_backward_data(const void *args, tarn_plan *p) {
    if (!conv2d_backward_data_valid(args)) {
        return TARN_BAD_ARGUMENT;
    }
    return plan(args, BACKWARD, p);
}

static int32_t backward_data_pack(const void *args, int64_t begin, int64_t end) {
    pack(args, BACKWARD, begin, end);
    return TARN_OK;
}

static int32_t backward_data(const void *args, int64_t begin, int64_t end) {
    multiply(args, BACKWARD, begin, end);
    return TARN_OK;
}
VARIANT(conv2d_backward_data, conv2d, plan_backward_data, backward_data_pack, backward_data);
