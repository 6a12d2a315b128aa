/*
 * 3x3 convolution with stride 1, forward and gradient of the input, by Winograd's algorithm: transformed input V times
 * transformed weights U, one matrix product M = V U over the channels for each of the (m+2)^2 products of a tile, and M
 * transformed back. The gradient is the same with the window turned round and channels exchanged.
 *
 * V and M of a block of tiles stay in L2. Of V and U, one is made in phase 0 and shared, the other by each task for itself:
 * U where it is small enough to stay near (and then it serves until the weights change), else V.
 */
#include "conv2d/im2row.h"
#include "gemm/gemm.h"
#include "simd/vec_transpose.h"
#include <stdlib.h>
uint64_t tarn_wino_ticks(int k);
#include "winograd/tiles.h"

#define ALIGN(bytes) (((bytes) + 63) / 64 * 64)
#define LINE 16 /* floats of a cache line: planes a power of two apart would all fall into the same sets */

enum direction { FORWARD, BACKWARD };

typedef struct {
    int64_t m, planes;
    winograd_tiles tiles;
    int64_t depth, columns;       /* source and destination channels */
    int64_t shares_weights;       /* U is shared, V is not */
    int64_t step, steps;          /* source channels in one visit of M */
    int64_t width, widths;        /* destination channels of one visit of M */
    int64_t block, blocks;        /* tiles of one visit of M */
    int64_t v_pitch, v_plane, v_step; /* V: [block][step][plane][tile][channel] */
    int64_t u_plane, u_step;      /* U: [width][step][plane][panel][channel][lanes] */
    int64_t m_pitch, m_plane;     /* M: [plane][tile][channel] */
} layout;

/* m of the tiles that are best, 0: none */
static int64_t tile_size(const tarn_conv2d_args *a, enum direction direction) {
    const int64_t h = direction == FORWARD ? a->oh : a->h, w = direction == FORWARD ? a->ow : a->w;
    const char *force = getenv("WM");
    if (force) return atoi(force);
    if (h < 2 || w < 2 || a->ic < 32 || a->oc < 32) {
        return 0;
    }
    return h <= 2 || w <= 2 ? 2 : 4;
}

static int env(const char *name, int64_t def) { const char *e = getenv(name); return e ? atoi(e) : def; }

static layout layout_of(const tarn_conv2d_args *a, enum direction direction) {
    const conv2d_gather g = direction == FORWARD ? conv2d_gather_forward(a) : conv2d_gather_phase(a, 0, 0);
    layout l = {.m = tile_size(a, direction), .depth = g.channels, .columns = direction == FORWARD ? a->oc : a->ic};
    l.planes = (l.m + 2) * (l.m + 2);
    l.tiles = winograd_tiles_of(&g, a->n, l.m);
    l.shares_weights = l.planes * l.depth * l.columns * (int64_t)sizeof(float) <= env("WU", 4 << 20);
    l.step = l.shares_weights ? l.depth : tarn_min(l.depth, env("WK", 64));
    l.steps = tarn_ceil_div(l.depth, l.step);
    l.width = tarn_min(l.columns, env("WP", 64));
    l.widths = tarn_ceil_div(l.columns, l.width);
    const int64_t fits = env("WT", 28);
    l.block = tarn_max(1, tarn_min(fits, tarn_ceil_div(tarn_ceil_div(l.tiles.count, l.shares_weights ? ENOUGH_TASKS : 1), MR) * MR));
    l.blocks = tarn_ceil_div(l.tiles.count, l.block);
    l.v_pitch = tarn_ceil_div(l.step, LANES) * LANES;
    l.v_plane = l.block * l.v_pitch + LINE;
    l.v_step = l.planes * l.v_plane;
    l.u_plane = l.step * gemm_packed_columns(l.width) + LINE;
    l.u_step = l.planes * l.u_plane;
    l.m_pitch = tarn_ceil_div(l.width, LANES) * LANES;
    l.m_plane = l.block * l.m_pitch + LINE;
    return l;
}

static int32_t plan(const tarn_conv2d_args *a, enum direction direction, tarn_plan *plan) {
    if (a->groups != 1 || a->kh != 3 || a->kw != 3 || a->sh != 1 || a->sw != 1 || a->dh != 1 || a->dw != 1
            || tile_size(a, direction) == 0) {
        return TARN_DECLINED;
    }
    const layout l = layout_of(a, direction);
    const int64_t u = l.u_step * (int64_t)sizeof(float), v = l.v_step * (int64_t)sizeof(float);
    *plan = (tarn_plan){
        .tasks = {l.shares_weights ? l.tiles.count ? l.widths * tarn_ceil_div(l.depth, LANES) : 0 : l.blocks * l.steps,
                l.shares_weights ? l.blocks : l.blocks * l.widths},
        .shared = l.shares_weights ? l.widths * u : l.blocks * l.steps * v,
        .scratch = ALIGN(l.depth * (int64_t)sizeof(float)) + l.planes * l.m_plane * (int64_t)sizeof(float) + (l.shares_weights ? v : u),
        .reusable = l.shares_weights,
    };
    return TARN_OK;
}

/* V of a step of the channels of a block. */
WINOGRAD_INLINE void transform_input(
        const int m, const layout *l, const float *source, const float *zeros, int64_t block, int64_t step, float *v) {
    const int64_t first = block * l->block, stop = tarn_min(first + l->block, l->tiles.count);
    const int64_t c = step * l->step, end = tarn_min(c + l->step, l->depth);
    conv2d_position at = winograd_tile(&l->tiles, first);
    for (int64_t tile = first; tile < stop; tile++, v += l->v_pitch, winograd_next_tile(&l->tiles, &at)) {
        winograd_source s;
        winograd_find_source(&l->tiles, source, zeros, &at, &s);
        winograd_input_tile(m, &s, c, end, v, l->v_plane);
    }
}

/* U of n weights: one source channel, n <= LANES destinations. */
WINOGRAD_INLINE void transform_weight(const int m, const vec *g, float *to, int64_t plane) {
    const int points = m + 2;
    vec x[3], y[WINOGRAD_POINTS], half[WINOGRAD_POINTS][3];
#pragma GCC unroll 3
    for (int j = 0; j < 3; j++) {
        x[0] = g[j];
        x[1] = g[3 + j];
        x[2] = g[6 + j];
        winograd_weight(m, x, y);
#pragma GCC unroll 6
        for (int i = 0; i < points; i++) {
            half[i][j] = y[i];
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < points; i++) {
        winograd_weight(m, half[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < points; j++) {
            vec_store(to + (i * points + j) * plane, y[j]);
        }
    }
}

/*
 * U of LANES source channels or fewer, [c, stop), and n <= LANES destination channels from `column` on. `to` is where the
 * first source channel goes, lanes apart from the next.
 */
WINOGRAD_INLINE void transform_weights(const int m, const tarn_conv2d_args *a, enum direction direction, int64_t c,
        int64_t stop, int64_t column, int64_t n, float *to, int64_t lanes, int64_t plane) {
    vec taps[9][LANES], g[9];
    if (direction == BACKWARD) {
        for (int t = 0; t < 9; t++) {
            const float *from = (const float *)a->weight + (t * a->ic + column) * a->oc + c;
            for (int i = 0; i < LANES; i++) {
                taps[8 - t][i] = i < n ? vec_load_upto(from + i * a->oc, stop - c) : vec_zero();
            }
            vec_transpose(taps[8 - t]);
        }
    }
    for (int64_t s = 0; s < stop - c; s++, to += lanes) {
#pragma GCC unroll 9
        for (int t = 0; t < 9; t++) {
            g[t] = direction == BACKWARD ? taps[t][s]
                    : vec_load_upto((const float *)a->weight + (t * a->ic + c + s) * a->oc + column, n);
        }
        transform_weight(m, g, to, plane);
    }
}

/* U of LANES source channels or fewer, all channels of a width; u is that of the step and width. */
WINOGRAD_INLINE void transform_panels(const int m, const layout *l, const tarn_conv2d_args *a, enum direction direction,
        int64_t c, int64_t width, float *u) {
    const int64_t first = width * l->width, columns = tarn_min(l->width, l->columns - first);
    const int64_t in_step = c % l->step, depth = tarn_min(l->step, l->depth - (c - in_step));
    const int64_t stop = tarn_min(c + LANES, c - in_step + depth);
    for (int64_t column = 0; column < columns; column += LANES) {
        const int64_t panel = column / NR * NR, lanes = gemm_panel_lanes(columns, panel);
        float *to = u + panel * depth + in_step * lanes + column - panel;
        const int64_t n = tarn_min(LANES, columns - column);
        transform_weights(m, a, direction, c, stop, first + column, n, to, lanes, l->u_plane);
    }
    /* the vector that fills a panel of two */
    const int64_t filled = tarn_ceil_div(columns, LANES) * LANES;
    (void)filled;
}

/* A^T M A of a tile and n <= LANES channels, and the epilogue. */
WINOGRAD_INLINE void output_vector(const int m, const float *from, int64_t plane, const gemm_epilogue *e, float *to,
        int64_t offset, int64_t line, int64_t pitch, int64_t rows, int64_t columns, int64_t n) {
    const int points = m + 2;
    vec x[WINOGRAD_POINTS], y[WINOGRAD_POINTS], half[WINOGRAD_POINTS][WINOGRAD_POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < points; j++) {
#pragma GCC unroll 6
        for (int i = 0; i < points; i++) {
            x[i] = vec_load(from + (i * points + j) * plane);
        }
        winograd_output(m, x, y);
#pragma GCC unroll 4
        for (int i = 0; i < m; i++) {
            half[i][j] = y[i];
        }
    }
    const vec bias = e->bias ? vec_load_upto(e->bias, n) : vec_zero();
#pragma GCC unroll 4
    for (int i = 0; i < m; i++) {
        winograd_output(m, half[i], y);
        if (i >= rows) {
            break;
        }
#pragma GCC unroll 4
        for (int j = 0; j < m; j++) {
            if (j >= columns) {
                break;
            }
            const int64_t at = offset + i * line + j * pitch;
            vec sum = vec_add(y[j], bias);
            if (e->residual) {
                sum = vec_add(sum, vec_load_upto(e->residual + at, n));
            }
            vec_store_upto(to + at, e->relu ? vec_relu(sum) : sum, n);
        }
    }
}

WINOGRAD_INLINE void transform_output(const int m, const layout *l, const gemm_epilogue *e, int64_t block, int64_t width,
        const float *products, float *to) {
    const int64_t first = block * l->block, stop = tarn_min(first + l->block, l->tiles.count);
    const int64_t channel = width * l->width, columns = tarn_min(l->width, l->columns - channel);
    const conv2d_axis *gy = &l->tiles.gather.y, *gx = &l->tiles.gather.x;
    const int64_t line = gx->grid * l->columns;
    conv2d_position at = winograd_tile(&l->tiles, first);
    for (int64_t tile = first; tile < stop; tile++, products += l->m_pitch, winograd_next_tile(&l->tiles, &at)) {
        const int64_t offset = (at.image * gy->grid + at.y) * line + at.x * l->columns + channel;
        const int64_t rows = tarn_min(m, gy->grid - at.y), pixels = tarn_min(m, gx->grid - at.x);
        for (int64_t c = 0; c < columns; c += LANES) {
            const gemm_epilogue here = {e->bias ? e->bias + channel + c : NULL, e->residual, e->relu};
            output_vector(m, products + c, l->m_plane, &here, to, offset + c, line, l->columns, rows, pixels,
                    tarn_min(LANES, columns - c));
        }
    }
}

static float *zeros_of(const layout *l, float *scratch) {
    conv2d_zero(scratch, l->depth);
    return scratch;
}

/* Phase 0: a task is LANES source channels of U for a width, or V of a step of a block. */
WINOGRAD_INLINE void prepare(
        const int m, const layout *l, const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const float *source = direction == FORWARD ? a->input : a->grad_output;
    if (l->shares_weights) {
        const int64_t groups = tarn_ceil_div(l->depth, LANES);
        for (int64_t task = begin; task < end; task++) {
            const int64_t width = task / groups;
            transform_panels(m, l, a, direction, task % groups * LANES, width, (float *)a->shared + width * l->u_step);
        }
    } else {
        const float *zeros = zeros_of(l, a->scratch);
        for (int64_t task = begin; task < end; task++) {
            transform_input(m, l, source, zeros, task / l->steps, task % l->steps, (float *)a->shared + task * l->v_step);
        }
    }
}

#include <x86intrin.h>
static __thread uint64_t tarn_wino_cycles[4];
#ifdef TARN_BUILD_AVX512
__attribute__((visibility("default"))) uint64_t tarn_wino_ticks(int k) {uint64_t v=tarn_wino_cycles[k];tarn_wino_cycles[k]=0;return v;}
#endif
#define TICK(k) { uint64_t now = __rdtsc(); tarn_wino_cycles[k] += now - t0; t0 = now; }

/* Phase 1: a task is a block of tiles, or a block and a width. */
WINOGRAD_INLINE void multiply(
        const int m, const layout *l, const tarn_conv2d_args *a, enum direction direction, int64_t begin, int64_t end) {
    const float *source = direction == FORWARD ? a->input : a->grad_output;
    float *products = a->scratch, *own = products + l->planes * l->m_plane;
    const float *zeros = l->shares_weights ? zeros_of(l, own + l->v_step) : NULL;
    const gemm_epilogue epilogue = {a->bias, a->residual, a->relu}, none = {NULL, NULL, 0};
    const int64_t widths = l->shares_weights ? 1 : l->widths;
    uint64_t t0 = __rdtsc();
    for (int64_t task = begin; task < end; task++) {
        const int64_t block = task / widths;
        const int64_t count = tarn_min(l->block, l->tiles.count - block * l->block);
        if (l->shares_weights) {
            transform_input(m, l, source, zeros, block, 0, own);
        }
        TICK(0);
        const int64_t first = l->shares_weights ? 0 : task % widths, stop = l->shares_weights ? l->widths : first + 1;
        for (int64_t width = first; width < stop; width++) {
            const int64_t columns = tarn_min(l->width, l->columns - width * l->width);
            for (int64_t step = 0; step < l->steps; step++) {
                const int64_t depth = tarn_min(l->step, l->depth - step * l->step);
                const float *u = (const float *)a->shared + width * l->u_step, *v = own;
                if (!l->shares_weights) {
                    for (int64_t c = 0; c < depth; c += LANES) {
                        transform_panels(m, l, a, direction, step * l->step + c, width, own);
                    }
                    u = own;
                    v = (const float *)a->shared + (block * l->steps + step) * l->v_step;
                }
                TICK(1);
                for (int64_t plane = 0; plane < l->planes; plane++) {
                    const gemm_product product = {
                        .a = v + plane * l->v_plane,
                        .pitch = l->v_pitch,
                        .b = u + plane * l->u_plane,
                        .panel_depth = depth,
                        .depth = depth,
                        .c = products + plane * l->m_plane,
                        .row_pitch = l->m_pitch,
                        .row_count = count,
                        .columns = columns,
                        .end_panel = tarn_ceil_div(columns, NR),
                        .accumulate = step > 0,
                    };
                    gemm_block(&product);
                }
                TICK(2);
            }
            transform_output(m, l, direction == FORWARD ? &epilogue : &none, block, width, products,
                    direction == FORWARD ? a->output : a->grad_input);
            TICK(3);
        }
    }
}

#define PHASE(name, step, direction) \
    static int32_t name(const void *args, int64_t begin, int64_t end) { \
        const layout l = layout_of(args, direction); \
        if (l.m == 4) { \
            step(4, &l, args, direction, begin, end); \
        } else { \
            step(2, &l, args, direction, begin, end); \
        } \
        return TARN_OK; \
    }

static int32_t plan_forward(const void *args, tarn_plan *p) {
    return conv2d_forward_valid(args) ? plan(args, FORWARD, p) : TARN_BAD_ARGUMENT;
}
PHASE(forward_prepare, prepare, FORWARD)
PHASE(forward, multiply, FORWARD)
VARIANT_NAMED(conv2d_forward, winograd, conv2d, plan_forward, forward_prepare, forward);

static int32_t plan_backward_data(const void *args, tarn_plan *p) {
    return conv2d_backward_data_valid(args) ? plan(args, BACKWARD, p) : TARN_BAD_ARGUMENT;
}
PHASE(backward_data_prepare, prepare, BACKWARD)
PHASE(backward_data, multiply, BACKWARD)
VARIANT_NAMED(conv2d_backward_data, winograd, conv2d, plan_backward_data, backward_data_prepare, backward_data);
