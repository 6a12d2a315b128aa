/*
 * Wide linear layers in training: forward and gradient of the input where weights change before the next call. A packed
 * copy of them would be as large as they are, be written once and read once. Here a task packs a piece that fits L2,
 * multiplies all rows with it, and packs the next one over it. Sums are in the order of the general variant, and have
 * the same bits.
 */
#include "conv2d/pack.h"

/* result (n, columns) = source (n, depth) times the weights (ic, oc), forward, or their transpose */
typedef struct {
    int64_t depth, columns, panels;
    const float *source;
    float *result;
} product;

static product product_of(const tarn_conv2d_args *a, enum direction direction) {
    product p = direction == FORWARD ? (product){a->ic, a->oc, 0, a->input, a->output}
                                     : (product){a->oc, a->ic, 0, a->grad_output, a->grad_input};
    p.panels = tarn_ceil_div(p.columns, NR);
    return p;
}

static int32_t plan(const tarn_conv2d_args *a, enum direction direction, tarn_plan *plan) {
    const product p = product_of(a, direction);
    if (TARN_PRODUCT(a->h, a->w, a->oh, a->ow, a->kh, a->kw) != 1 || a->pt || a->pl || a->groups != 1
            || a->constant_weight || p.panels < ENOUGH_TASKS) {
        return TARN_DECLINED;
    }
    *plan = (tarn_plan){
        .tasks = {a->n ? ENOUGH_TASKS : 0},
        .scratch = tarn_min(p.depth, DEPTH) * LINEAR_PANELS * NR * (int64_t)sizeof(float),
    };
    return TARN_OK;
}

/* Depths [first, stop) of the weights of some columns, as panels. */
static void pack(const tarn_conv2d_args *a, enum direction direction, int64_t first, int64_t stop, int64_t column,
        int64_t columns, float *packed) {
    const float *weight = a->weight;
    weight += direction == FORWARD ? first * a->oc + column : column * a->oc + first;
    for (int64_t c = 0; c < columns; c += NR) {
        const int64_t lanes = gemm_panel_lanes(columns, c);
        conv2d_pack_rows(weight + (direction == FORWARD ? c : c * a->oc), a->oc, direction, 0, stop - first,
                packed + (stop - first) * c, tarn_min(lanes, columns - c), lanes);
    }
}

/* All rows times a packed piece. A block of rows stays in L2 while the panels pass. */
static void multiply_piece(const tarn_conv2d_args *a, enum direction direction, const product *p, int64_t first,
        int64_t stop, int64_t column, int64_t columns) {
    const float *bias = direction == FORWARD ? a->bias : NULL, *residual = a->residual;
    const int64_t block = BLOCK_BYTES / (int64_t)sizeof(float) / DEPTH / MR * MR;
    for (int64_t row = 0; row < a->n; row += block) {
        const int64_t at = row * p->columns + column;
        const gemm_epilogue epilogue = {bias ? bias + column : NULL, residual ? residual + at : NULL,
                direction == FORWARD ? ACTIVATION_OF(a) : NO_ACTIVATION};
        gemm_block(&(gemm_product){
            .a = p->source + row * p->depth + first,
            .pitch = p->depth,
            .b = a->scratch,
            .panel_depth = stop - first,
            .depth = stop - first,
            .c = p->result + at,
            .row_pitch = p->columns,
            .row_count = tarn_min(block, a->n - row),
            .columns = columns,
            .end_panel = tarn_ceil_div(columns, NR),
            .accumulate = first > 0,
            .epilogue = stop == p->depth ? &epilogue : NULL,
        });
    }
}

/* A task is a share of the panels. */
static void multiply(const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const product p = product_of(a, direction);
    for (int64_t task = begin; task < end; task++) {
        const int64_t end_column = tarn_min(p.columns, tarn_cut(p.panels, ENOUGH_TASKS, task + 1) * NR);
        int64_t column = tarn_cut(p.panels, ENOUGH_TASKS, task) * NR;
        for (int64_t columns; column < end_column; column += columns) {
            columns = tarn_min(LINEAR_PANELS * NR, end_column - column);
            for (int64_t first = 0, stop; first < p.depth; first = stop) {
                stop = tarn_min(p.depth, first + DEPTH);
                pack(a, direction, first, stop, column, columns, a->scratch);
                multiply_piece(a, direction, &p, first, stop, column, columns);
            }
        }
    }
}

static int32_t plan_forward(const void *args, tarn_plan *p) {
    return conv2d_forward_valid(args) ? plan(args, FORWARD, p) : TARN_BAD_ARGUMENT;
}

static int32_t forward(const void *args, int64_t begin, int64_t end) {
    multiply(args, FORWARD, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_forward, linear, conv2d, plan_forward, forward);

static int32_t plan_backward_data(const void *args, tarn_plan *p) {
    return conv2d_backward_data_valid(args) ? plan(args, BACKWARD, p) : TARN_BAD_ARGUMENT;
}

static int32_t backward_data(const void *args, int64_t begin, int64_t end) {
    multiply(args, BACKWARD, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_backward_data, linear, conv2d, plan_backward_data, backward_data);
