/*
 * Forward convolution in BF16: im2row of a block of pixels, then tiles against packed weights, as in F32 (conv2d_simd.c). A
 * sum is done in one visit of its tile, in float, and is rounded once, with bias, residual and activation, when it is stored.
 */
#include "activation/vec_activation.h"
#include "conv2d/im2row.h"
#include "gemm/gemm_pairs.h"

typedef struct {
    conv2d_gather gather;
    int64_t depth, whole_depth;    /* of a sum; with the zeros up to whole units */
    int64_t columns, panels;       /* output channels in one group */
    int64_t group_weights;         /* packed weights of one group, elements */
    int64_t pixels, block, blocks; /* in all; in a task; tasks for all pixels */
    int64_t panel_blocks;          /* tasks for all panels */
    int64_t visit;                 /* pixels of a task that are gathered and multiplied at a time */
    int64_t row_pitch;             /* of the im2row matrix, 0: the input is read directly */
} layout;

static layout layout_of(const tarn_conv2d_args *a) {
    layout l = {.gather = conv2d_gather_forward(a), .pixels = a->n * a->oh * a->ow, .columns = a->oc / a->groups};
    l.depth = conv2d_depth(&l.gather);
    l.whole_depth = tarn_ceil_div(l.depth, DEPTH_UNIT) * DEPTH_UNIT;
    l.panels = tarn_ceil_div(l.columns, NR);
    l.group_weights = l.whole_depth * gemm_packed_columns(l.columns);
    const int64_t row_pitch = conv2d_row_pitch(l.whole_depth);
    l.row_pitch = conv2d_direct(&l.gather) && l.depth == l.whole_depth && a->ic % 2 == 0 ? 0 : row_pitch;

    const int64_t fits = tarn_max(1, PAIR_BLOCK_BYTES / (int64_t)sizeof(element) / row_pitch / MR) * MR;
    const int64_t shared = tarn_ceil_div(l.pixels, tarn_ceil_div(ENOUGH_TASKS, a->groups));
    l.block = tarn_max(1, tarn_ceil_div(tarn_min(fits, shared), MR)) * MR;
    l.blocks = tarn_ceil_div(l.pixels, l.block);
    l.panel_blocks = l.pixels ? tarn_min(l.panels, tarn_ceil_div(ENOUGH_TASKS, a->groups * l.blocks)) : 1;
    l.visit = l.group_weights * (int64_t)sizeof(element) <= PAIR_WEIGHT_BYTES ? tarn_min(l.block, PAIR_NEAR_ROWS)
                                                                              : tarn_min(l.block, PAIR_FAR_ROWS);
    return l;
}

/* Tasks: panels, then blocks of pixels times blocks of panels, in each group. */
static int32_t plan_forward(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_forward_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    if (conv2d_depthwise(a) && a->groups > 1) {
        return TARN_DECLINED; /* a product of one column for each channel: its own variant is far faster */
    }
    const layout l = layout_of(a);
    *plan = (tarn_plan){
        .tasks = {l.pixels ? a->groups * l.panels : 0, a->groups * l.blocks * l.panel_blocks},
        .shared = a->groups * l.group_weights * (int64_t)sizeof(element),
        .scratch = l.visit * l.row_pitch * (int64_t)sizeof(element),
        .reusable = 1,
    };
    return TARN_OK;
}

/* Phase 0, a task is a panel. Depth k is row k of the weights, (kh, kw, channels) in a row. */
static int32_t forward_pack(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    for (int64_t task = begin; task < end; task++) {
        const int64_t group = task / l.panels, column = task % l.panels * NR;
        const int64_t lanes = gemm_panel_lanes(l.columns, column), columns = tarn_min(lanes, l.columns - column);
        const float *weight = (const float *)a->weight + group * l.columns + column;
        element *packed = (element *)a->shared + group * l.group_weights + l.whole_depth * column;
        for (int64_t k = 0; k < l.whole_depth; k += 2, packed += 2 * lanes) {
            for (int64_t j = 0; j < lanes; j++) {
                for (int64_t i = 0; i < 2; i++) {
                    const int inside = j < columns && k + i < l.depth;
                    packed[2 * j + i] = inside ? tarn_bf16_of_float(weight[(k + i) * a->oc + j]) : 0;
                }
            }
        }
    }
    return TARN_OK;
}

typedef struct {
    const float *bias;        /* by column, or null */
    const element *residual;  /* as output, or null */
    activation activation;
    element *output;          /* rows of the tile, pitch apart */
    int64_t pitch;
} epilogue;

/* n columns, from lane j on, of all rows of a tile. */
static inline __attribute__((always_inline)) void finish(
        const epilogue *e, const float *sums, int64_t lanes, int64_t rows, int64_t j, int64_t n) {
    const vec bias = e->bias ? vec_load_upto(e->bias + j, n) : vec_zero();
    for (int64_t i = 0; i < rows; i++) {
        vec sum = vec_add(vec_load(sums + i * lanes + j), bias);
        sum = e->residual ? vec_add(sum, vec_get(e->residual + i * e->pitch + j, n)) : sum;
        vec_put(e->output + i * e->pitch + j, vec_activate(e->activation, sum), n);
    }
}

static void finish_tile(const epilogue *e, const float *sums, int64_t lanes, int64_t rows, int64_t columns) {
    for (int64_t j = 0; j < columns; j += LANES) {
        if (columns - j >= LANES) {
            finish(e, sums, lanes, rows, j, LANES);
        } else {
            finish(e, sums, lanes, rows, j, columns - j);
        }
    }
}

/*
 * Asks for the part-th of so many equal parts of what the epilogues of the next pixels read and write: tiles go through it in
 * strides that processors do not foresee. Rows of the first operand they do.
 */
static inline void fetch(const element *p, int64_t count, int64_t part, int64_t parts, const int write) {
    const int64_t line = 64 / (int64_t)sizeof(element), lines = tarn_ceil_div(count, line);
    for (int64_t i = part * lines / parts; i < (part + 1) * lines / parts; i++) {
        __builtin_prefetch(p + i * line, write, 2);
    }
}

/* Some pixels, whose rows begin at source, times the panels [first, stop) of a group. */
static void multiply(const tarn_conv2d_args *a, const layout *l, int64_t group, const element *source, int64_t pitch,
        int64_t pixel, int64_t count, int64_t first, int64_t stop) {
    float sums[TILE_ROWS * NR] __attribute__((aligned(64)));
    const int64_t tiles = tarn_ceil_div(count, MR);
    const int64_t after = (pixel + count) * a->oc, next = tarn_min(count, l->pixels - pixel - count) * a->oc;
    const int whole = stop - first == l->panels && a->groups == 1; /* all that is between two pixels is of this task */
    for (int64_t panel = first; panel < stop; panel++) {
        if (whole && a->residual) {
            fetch((const element *)a->residual + after, next, panel, l->panels, 0);
        }
        if (whole) {
            fetch((const element *)a->output + after, next, panel, l->panels, 1);
        }
        const int64_t column = panel * NR, lanes = gemm_panel_lanes(l->columns, column);
        for (int64_t tile = 0; tile < tiles; tile++) {
            const int64_t row = tile * MR, rows = tarn_min(MR, count - row);
            const gemm_pairs product = {
                .a = source + row * pitch,
                .pitch = pitch,
                .b = (const element *)a->shared + group * l->group_weights + l->whole_depth * column,
                .lanes = lanes,
                .depth = l->whole_depth,
            };
            gemm_sums(&product, rows, sums);
            const int64_t at = (pixel + row) * a->oc + group * l->columns + column;
            const epilogue e = {
                .bias = a->bias ? (const float *)a->bias + group * l->columns + column : NULL,
                .residual = a->residual ? (const element *)a->residual + at : NULL,
                .activation = ACTIVATION_OF(a),
                .output = (element *)a->output + at,
                .pitch = a->oc,
            };
            finish_tile(&e, sums, lanes, rows, tarn_min(lanes, l->columns - column));
        }
    }
}

/* Phase 1, a task is a block of pixels times a block of panels, in one group. */
static int32_t forward(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    element *block = a->scratch;
    gemm_open();
    for (int64_t task = begin; task < end; task++) {
        const int64_t panel_block = task % l.panel_blocks, first = task / l.panel_blocks % l.blocks * l.block;
        const int64_t group = task / l.panel_blocks / l.blocks, stop = tarn_min(first + l.block, l.pixels);
        const element *source = (const element *)a->input + group * l.gather.channels;
        for (int64_t pixel = first, count; pixel < stop; pixel += count) {
            count = tarn_min(l.visit, stop - pixel);
            if (l.row_pitch) {
                conv2d_im2row(&l.gather, source, pixel, count, 0, l.depth, block, l.row_pitch);
                for (int64_t i = 0; i < count && l.depth < l.whole_depth; i++) {
                    conv2d_zero(block + i * l.row_pitch + l.depth, l.whole_depth - l.depth);
                }
            }
            multiply(a, &l, group, l.row_pitch ? block : source + pixel * l.gather.pitch,
                    l.row_pitch ? l.row_pitch : l.gather.pitch, pixel, count, panel_block * l.panels / l.panel_blocks,
                    (panel_block + 1) * l.panels / l.panel_blocks);
        }
    }
    gemm_close();
    return TARN_OK;
}
VARIANT(conv2d_forward, conv2d, plan_forward, forward_pack, forward);
