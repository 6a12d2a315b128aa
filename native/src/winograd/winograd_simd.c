/*
 * 3x3 convolution with stride 1 by Winograd's algorithm, forward and gradient of the input: transformed input V times
 * transformed weights U, one matrix product over the channels for each plane, and the products M transformed back. The
 * gradient is the same with the window turned round and the channels exchanged.
 *
 * A visit of M is a block of tiles and a width of destination channels, small enough that M and what is multiplied stay
 * in L2. Where U is small it is shared: phase 0 makes it, it serves until the weights change, and each task of phase 2
 * makes V of its own tiles. Where U is large it would have to be streamed, four times the bytes of the weights: there
 * phase 0 packs the weights, phase 1 makes V, and each task of phase 2 makes U of its own channels, a step of source
 * channels and a row of planes at a time, while it is used by all tiles of the block, or in registers for few tiles.
 * One block alone, of weights that change before the next call, packs them itself, a step at a time. Where blocks are
 * many, so that V of all would be large, one or two tasks take a block and make V of it, too. In all cases every element
 * of M is one chain over the channels in ascending order, so neither blocks nor the batch show in the bits.
 *
 * An infinite or NaN pixel reaches all outputs of the tiles that read it, not only those whose window it is in.
 */
#include "conv2d/im2row.h"
#include "gemm/gemm.h"
#include "winograd/few_tiles.h"
#include "winograd/tiles.h"

#define LINE 16 /* floats of a cache line: planes a power of two apart would all fall into the same sets */

typedef struct {
    enum direction direction;
    int64_t m, planes;
    winograd_tiles tiles;
    int64_t depth, columns;           /* source and destination channels */
    int64_t shares_weights;           /* 1: U is shared, 0: V is */
    int64_t step, steps;              /* source channels of a visit of M, visits for all */
    int64_t parts;                    /* tasks that make V of a block and a step */
    int64_t width, widths;            /* destination channels of a visit of M, visits for all */
    int64_t block, blocks;            /* tiles of a visit of M, visits for all */
    int64_t v_pitch, v_plane, v_step; /* V: [block][step][plane][tile][channel], floats from each to the next */
    int64_t u_plane, u_row;           /* U: [width][row of planes][plane][panel][channel][lanes] */
    int64_t m_pitch, m_plane;         /* M: [plane][tile][channel] */
    int64_t few;                      /* 1: so few tiles that U is made in registers */
    int64_t spans;                    /* tasks of a block */
    int64_t own_input;                /* 1: so many blocks that neither is shared, and a task makes V of its block */
    int64_t windows;                  /* floats of the packed weights that are shared; 0: a task packs what it needs */
    int64_t packed;                   /* and of those that it packs at a time, for this or any smaller batch */
    int64_t from_memory;              /* input and output are larger than caches */
} layout;

/*
 * m of the tiles, or 0 where the direct sum, of 9 products a pixel, is faster. A matter of shape, never of n. The
 * transforms, of few channels above all, take what is gained by less than half the products.
 */
static int64_t tile_size(const tarn_conv2d_args *a, enum direction direction) {
    const int64_t h = direction == FORWARD ? a->oh : a->h, w = direction == FORWARD ? a->ow : a->w;
    const int64_t m = winograd_tile_size(h, w);
    return 2 * winograd_products(h, w, m) <= 9 * h * w && tarn_min(a->ic, a->oc) >= WINOGRAD_CHANNELS ? m : 0;
}

static layout layout_of(const tarn_conv2d_args *a, enum direction direction) {
    const conv2d_gather g = conv2d_gather_of(a, direction, 0, 0);
    layout l = {.direction = direction, .m = tile_size(a, direction), .depth = g.channels};
    l.columns = direction == FORWARD ? a->oc : a->ic;
    l.planes = (l.m + 2) * (l.m + 2);
    l.tiles = winograd_tiles_of(&g, a->n, l.m);
    l.shares_weights = l.planes * l.depth * l.columns * (int64_t)sizeof(float) <= WINOGRAD_WEIGHT_BYTES;
    l.few = !l.shares_weights && l.tiles.count <= WINOGRAD_FEW_TILES;
    l.step = l.shares_weights ? l.depth : tarn_min(l.depth, l.few ? WINOGRAD_FEW_STEP : WINOGRAD_STEP);
    l.steps = tarn_ceil_div(l.depth, l.step);
    l.width = tarn_min(l.columns, l.shares_weights ? WINOGRAD_WIDTH : WINOGRAD_FAR_WIDTH);
    l.widths = tarn_ceil_div(l.columns, l.width);
    if (l.few) {
        l.block = l.tiles.count;
    } else if (l.shares_weights) {
        l.block = tarn_min(WINOGRAD_TILES, tarn_ceil_div(tarn_ceil_div(l.tiles.count, ENOUGH_TASKS), MR) * MR);
    } else {
        l.block = tarn_min(WINOGRAD_FAR_TILES, tarn_ceil_div(l.tiles.count, MR) * MR);
    }
    l.blocks = l.block ? tarn_ceil_div(l.tiles.count, l.block) : 0;
    if (!l.shares_weights && (a->constant_weight || l.blocks > 1)) {
        l.windows = tarn_ceil_div(l.columns, LANES) * l.depth * WINDOW_FLOATS;
    }
    if (!l.shares_weights && !a->constant_weight) {
        l.packed = tarn_ceil_div(l.width, LANES) * tarn_min(l.depth, WINOGRAD_STEP) * WINDOW_FLOATS;
    }
    l.own_input = !l.shares_weights && l.blocks > WINOGRAD_SHARED_BLOCKS;
    l.spans = l.widths;
    if (l.shares_weights) { /* who runs a span makes V of the block, a tenth of the work of a width */
        l.spans = tarn_min(l.widths, tarn_max(1, ENOUGH_TASKS / (2 * tarn_max(1, l.blocks))));
    } else if (l.own_input) {
        l.spans = tarn_min(l.widths, tarn_ceil_div(ENOUGH_TASKS, l.blocks));
    }
    l.parts = l.few ? 1 : WINOGRAD_PARTS;
    l.v_pitch = l.few ? FEW_PITCH : tarn_ceil_div(l.step, LINE) * LINE; /* in all no less than few tiles take */
    l.v_plane = l.few ? FEW_PLANE : l.block * l.v_pitch + LINE;
    l.v_step = l.planes * l.v_plane;
    l.u_plane = l.step * gemm_packed_columns(l.width) + LINE;
    l.u_row = (l.m + 2) * l.u_plane;
    l.m_pitch = tarn_ceil_div(l.width, LANES) * LANES;
    l.m_plane = l.block * l.m_pitch + LINE;
    l.from_memory = a->n * (a->h * a->w * a->ic + a->oh * a->ow * a->oc) * (int64_t)sizeof(float) > FAR_BYTES;
    return l;
}

static const float *source_of(const layout *l, const tarn_conv2d_args *a) {
    return l->direction == FORWARD ? a->input : a->grad_output;
}

static float *output_of(const layout *l, const tarn_conv2d_args *a) {
    return l->direction == FORWARD ? a->output : a->grad_input;
}

static int32_t plan(const tarn_conv2d_args *a, enum direction direction, tarn_plan *plan) {
    if (a->groups != 1 || a->kh != 3 || a->kw != 3 || a->sh != 1 || a->sw != 1 || a->dh != 1 || a->dw != 1
            || !tile_size(a, direction)) {
        return TARN_DECLINED;
    }
    const layout l = layout_of(a, direction);
    if (TARN_PRODUCT(l.blocks * l.steps, l.v_step) < 0) {
        return TARN_DECLINED; /* wide padding can make more tiles than pixels */
    }
    const int64_t u = (l.m + 2) * l.u_row, m = l.planes * l.m_plane + l.depth, v = l.steps * l.v_step;
    if (l.shares_weights) {
        *plan = (tarn_plan){
            .tasks = {l.blocks ? l.widths * tarn_ceil_div(l.depth, LANES) : 0, 0, l.blocks * l.spans},
            .shared = l.widths * u * (int64_t)sizeof(float),
            .scratch = (m + l.v_step) * (int64_t)sizeof(float),
            .reusable = 1,
        };
    } else { /* a smaller batch, of fewer blocks, shares them */
        *plan = (tarn_plan){
            .tasks = {l.windows && l.blocks ? tarn_ceil_div(a->ic, LANES) : 0,
                    l.own_input ? 0 : l.blocks * l.steps * l.parts, l.blocks * l.spans},
            .shared = (l.windows + tarn_min(l.blocks, WINOGRAD_SHARED_BLOCKS) * v) * (int64_t)sizeof(float),
            .scratch = (m + l.u_row + (l.own_input ? v : 0) + l.packed) * (int64_t)sizeof(float),
            .reusable = 1,
        };
    }
    return TARN_OK;
}

/* The place of a task's data in its scratch memory. */
typedef struct {
    float *products, *own;   /* M; U or V, whichever is not shared */
    float *input;            /* V of all steps, where neither is */
    float *windows;          /* packed weights of a step and a width, where they are not shared */
    float *zeros;            /* a pixel outside of the image */
} scratch;

static scratch scratch_of(const layout *l, float *memory) {
    float *own = memory + l->planes * l->m_plane;
    float *input = own + (l->shares_weights ? l->v_step : l->u_row);
    float *windows = input + (l->own_input ? l->steps * l->v_step : 0);
    const scratch s = {memory, own, input, windows, windows + l->packed};
    conv2d_zero(s.zeros, l->depth);
    return s;
}

/* V of tiles [first, stop) and a step of the channels. */
WINOGRAD_INLINE void transform_input(const int m, const layout *l, const float *source, const float *zeros,
        int64_t first, int64_t stop, int64_t step, float *v) {
    const int64_t c = step * l->step, end = tarn_min(c + l->step, l->depth);
    for (int64_t tile = first; tile < stop; tile++, v += l->v_pitch) {
        const winograd_tile at = winograd_tile_at(&l->tiles, tile);
        winograd_source s;
        winograd_find_source(&l->tiles, source, zeros, &at, m + 2, m + 2, &s);
        winograd_input_tile(m, &s, c, end, v, l->v_plane);
    }
}

/* Packed windows of LANES source channels from c on, and LANES destination channels from `column` on. */
static void pack_windows(const layout *l, const tarn_conv2d_args *a, int64_t c, int64_t column, float *to) {
    const int64_t count = tarn_min(LANES, l->depth - c), n = tarn_min(LANES, l->columns - column);
    if (l->direction == FORWARD) {
        winograd_pack_forward(a, c, count, column, n, to);
    } else {
        winograd_pack_backward(a, c, count, column, n, to);
    }
}

/* Where they lie in the shared memory. */
static float *windows_of(const layout *l, const tarn_conv2d_args *a, int64_t c, int64_t column) {
    return (float *)a->shared + (column / LANES * l->depth + c) * WINDOW_FLOATS;
}

/*
 * A row of planes of U: `count` source channels, of which `before` of the `depth` of the step precede them, and so many
 * destination channels of packed windows, of which LANES lie `pitch` floats apart.
 */
static void transform_weights(const layout *l, int64_t row, const float *windows, int64_t pitch, int64_t before,
        int64_t count, int64_t depth, int64_t columns, float *u) {
    for (int64_t column = 0; column < columns; column += LANES, windows += pitch) {
        const int64_t panel = column / NR * NR, lanes = gemm_panel_lanes(columns, panel);
        winograd_windows[l->m / 4][row](windows, count, u + panel * depth + before * lanes + column - panel, lanes,
                l->u_plane);
    }
}

/* U of a width that is shared, for LANES source channels from c on. */
WINOGRAD_INLINE void share_weights(
        const int m, const layout *l, const tarn_conv2d_args *a, int64_t width, int64_t c) {
    const int64_t first = width * l->width, columns = tarn_min(l->width, l->columns - first);
    float packed[WINOGRAD_WIDTH / LANES][LANES * WINDOW_FLOATS], *u = (float *)a->shared + width * (m + 2) * l->u_row;
    for (int64_t column = 0; column < columns; column += LANES) {
        pack_windows(l, a, c, first + column, packed[column / LANES]);
    }
    for (int64_t row = 0; row < m + 2; row++) {
        transform_weights(l, row, packed[0], LANES * WINDOW_FLOATS, c, tarn_min(LANES, l->depth - c), l->depth, columns,
                u + row * l->u_row);
    }
}

/* What will be needed soon, and comes from memory: asked for bit by bit while products are computed. Null: nothing. */
typedef struct {
    const float *source; /* of the next block */
    const float *output; /* of this block and width */
} ahead;

static void prefetch(const layout *l, const ahead *next, int64_t block, int64_t width, int64_t plane) {
    const int64_t first = block * l->block, stop = tarn_min(first + l->block, l->tiles.count);
    if (next->source) {
        const int64_t count = tarn_min(l->block, l->tiles.count - stop);
        winograd_prefetch_input(&l->tiles, next->source, stop + plane * count / l->planes,
                stop + (plane + 1) * count / l->planes);
    }
    if (next->output) {
        winograd_prefetch_output(&l->tiles, next->output, l->columns, width * l->width,
                tarn_min(l->width, l->columns - width * l->width), first + plane * (stop - first) / l->planes,
                first + (plane + 1) * (stop - first) / l->planes);
    }
}

/* A row of planes of M of a block and a width, one step further. */
static void multiply_row(const layout *l, int64_t block, int64_t width, int64_t step, int64_t row, const float *v,
        const float *u, float *products, const ahead *next) {
    const int64_t depth = tarn_min(l->step, l->depth - step * l->step);
    const int64_t columns = tarn_min(l->width, l->columns - width * l->width);
    for (int64_t i = 0; i < l->m + 2; i++) {
        const int64_t plane = row * (l->m + 2) + i;
        const winograd_range tiles = winograd_plane(&l->tiles, plane, block * l->block, l->block);
        prefetch(l, next, block, width, plane);
        const gemm_product product = {
            .a = v + plane * l->v_plane + tiles.first * l->v_pitch,
            .pitch = l->v_pitch,
            .b = u + i * l->u_plane,
            .panel_depth = depth,
            .depth = depth,
            .c = products + plane * l->m_plane + tiles.first * l->m_pitch,
            .row_pitch = l->m_pitch,
            .row_count = tiles.count,
            .columns = columns,
            .end_panel = tarn_ceil_div(columns, NR),
            .accumulate = step > 0,
            .cold = !l->shares_weights,
        };
        gemm_block(&product);
    }
}

/*
 * Where a tile's outputs go: `rows` lines of `pixels` pixels inside the image. Offsets are those of the whole tensor.
 */
typedef struct {
    float *to;
    int64_t offset, line, pitch;
    int64_t rows, pixels;
} destination;

/* A^T M A of a tile and n <= LANES channels, and the epilogue. */
WINOGRAD_INLINE void transform_products(
        const int m, const float *from, int64_t plane, const gemm_epilogue *e, const destination *d, int64_t n) {
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
        if (i >= d->rows) {
            break;
        }
        winograd_output(m, half[i], y);
#pragma GCC unroll 4
        for (int j = 0; j < m; j++) {
            if (j >= d->pixels) {
                break;
            }
            const int64_t at = d->offset + i * d->line + j * d->pitch;
            vec sum = vec_add(y[j], bias);
            if (e->residual) {
                sum = vec_add(sum, vec_load_upto(e->residual + at, n));
            }
            vec_store_upto(d->to + at, vec_activate(e->activation, sum), n);
        }
    }
}

/* The outputs of a block and a width. */
WINOGRAD_INLINE void transform_output(const int m, const layout *l, const tarn_conv2d_args *a, int64_t block,
        int64_t width, const float *products) {
    const int64_t first = block * l->block, stop = tarn_min(first + l->block, l->tiles.count);
    const int64_t channel = width * l->width, columns = tarn_min(l->width, l->columns - channel);
    const conv2d_axis *gy = &l->tiles.gather.y, *gx = &l->tiles.gather.x;
    const int forward = l->direction == FORWARD;
    destination d = {.to = output_of(l, a), .line = gx->grid * l->columns, .pitch = l->columns};
    for (int64_t tile = first; tile < stop; tile++, products += l->m_pitch) {
        const winograd_tile at = winograd_tile_at(&l->tiles, tile);
        d.rows = at.height;
        d.pixels = at.width;
        for (int64_t c = 0; c < columns; c += LANES) {
            gemm_epilogue e = {NULL, a->residual, NO_ACTIVATION};
            if (forward) {
                e = (gemm_epilogue){a->bias ? (const float *)a->bias + channel + c : NULL, a->residual, ACTIVATION_OF(a)};
            }
            d.offset = (at.image * gy->grid + at.y) * d.line + at.x * d.pitch + channel + c;
            if (c + LANES <= columns) {
                transform_products(m, products + c, l->m_plane, &e, &d, LANES);
            } else {
                transform_products(m, products + c, l->m_plane, &e, &d, columns - c);
            }
        }
    }
}

/*
 * Phase 0: a task is LANES source channels of U for a width; or packed windows of LANES input channels, which are
 * source channels forward, destination channels backward.
 */
WINOGRAD_INLINE void prepare(const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    const int64_t groups = tarn_ceil_div(l->depth, LANES);
    for (int64_t task = begin; task < end; task++) {
        const int64_t channel = task * LANES;
        if (l->shares_weights) {
            share_weights(m, l, a, task / groups, task % groups * LANES);
        } else if (l->direction == FORWARD) {
            for (int64_t column = 0; column < l->columns; column += LANES) {
                pack_windows(l, a, channel, column, windows_of(l, a, channel, column));
            }
        } else {
            for (int64_t c = 0; c < l->depth; c += LANES) {
                pack_windows(l, a, c, channel, windows_of(l, a, c, channel));
            }
        }
    }
}

/* Phase 1: a task is V of a part of a block and a step. */
WINOGRAD_INLINE void share_input(const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    const scratch s = scratch_of(l, a->scratch);
    for (int64_t task = begin; task < end; task++) {
        const int64_t part = task % l->parts, visit = task / l->parts, block = visit / l->steps;
        const int64_t first = part * l->block / l->parts, stop = (part + 1) * l->block / l->parts;
        transform_input(m, l, source_of(l, a), s.zeros, block * l->block + first,
                tarn_min(block * l->block + stop, l->tiles.count), visit % l->steps,
                (float *)a->shared + l->windows + visit * l->v_step + first * l->v_pitch);
    }
}

/* Phase 2 where U is shared: a task is a block and a span of widths. */
WINOGRAD_INLINE void multiply_blocks(
        const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    const scratch s = scratch_of(l, a->scratch);
    for (int64_t task = begin; task < end; task++) {
        const int64_t block = task / l->spans, span = task % l->spans, stop = (span + 1) * l->widths / l->spans;
        if (span == 0 || task == begin) {
            transform_input(m, l, source_of(l, a), s.zeros, block * l->block,
                    tarn_min((block + 1) * l->block, l->tiles.count), 0, s.own);
        }
        for (int64_t width = span * l->widths / l->spans; width < stop; width++) {
            const int more = l->from_memory && width == stop - 1 && task + 1 < end;
            const ahead next = {more ? source_of(l, a) : NULL, l->from_memory ? output_of(l, a) : NULL};
            const float *u = (const float *)a->shared + width * (m + 2) * l->u_row;
            for (int64_t row = 0; row < m + 2; row++, u += l->u_row) {
                multiply_row(l, block, width, 0, row, s.own, u, s.products, &next);
            }
            transform_output(m, l, a, block, width, s.products);
        }
    }
}

/* Packed weights of a step and a width, packed here unless they are shared. LANES of them lie *pitch floats apart. */
static const float *find_windows(
        const layout *l, const tarn_conv2d_args *a, const scratch *s, int64_t width, int64_t step, int64_t *pitch) {
    const int64_t first = width * l->width, columns = tarn_min(l->width, l->columns - first);
    const int64_t c = step * l->step, depth = tarn_min(l->step, l->depth - c);
    if (l->windows) {
        *pitch = l->depth * WINDOW_FLOATS;
        return windows_of(l, a, c, first);
    }
    *pitch = depth * WINDOW_FLOATS;
    for (int64_t i = 0; i < depth; i += LANES) {
        for (int64_t column = 0; column < columns; column += LANES) {
            pack_windows(l, a, c + i, first + column, s->windows + column / LANES * *pitch + i * WINDOW_FLOATS);
        }
    }
    return s->windows;
}

/* M of few tiles and a width, one step further. */
static void multiply_few(const layout *l, int64_t width, int64_t step, const float *windows, int64_t pitch, const float *v,
        float *products) {
    const int64_t first = width * l->width, columns = tarn_min(l->width, l->columns - first);
    for (int64_t column = 0; column < columns; column += LANES) {
        const few_product product = {
            .windows = windows + column / LANES * pitch,
            .v = v,
            .depth = tarn_min(l->step, l->depth - step * l->step),
            .products = products + column,
            .pitch = l->m_pitch,
            .plane = l->m_plane,
            .accumulate = step > 0,
        };
        few_multiply[l->m / 4][l->tiles.count - 1](&product);
    }
}

/* A block and a width, from V of all steps. */
WINOGRAD_INLINE void multiply_width(const int m, const layout *l, const tarn_conv2d_args *a, const scratch *s,
        int64_t block, int64_t width, const float *v) {
    for (int64_t step = 0; step < l->steps; step++, v += l->v_step) {
        int64_t pitch;
        const float *windows = find_windows(l, a, s, width, step, &pitch);
        if (l->few) {
            multiply_few(l, width, step, windows, pitch, v, s->products);
            continue;
        }
        const ahead next = {NULL, l->from_memory && step == l->steps - 1 ? output_of(l, a) : NULL};
        const int64_t depth = tarn_min(l->step, l->depth - step * l->step);
        for (int64_t row = 0; row < m + 2; row++) {
            transform_weights(l, row, windows, pitch, 0, depth, depth, tarn_min(l->width, l->columns - width * l->width),
                    s->own);
            multiply_row(l, block, width, step, row, v, s->own, s->products, &next);
        }
    }
    transform_output(m, l, a, block, width, s->products);
}

/* Phase 2 where U is not shared: a task is a block and a span of widths. */
WINOGRAD_INLINE void multiply_widths(
        const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    const scratch s = scratch_of(l, a->scratch);
    for (int64_t task = begin; task < end; task++) {
        const int64_t block = task / l->spans, span = task % l->spans;
        float *v = l->own_input ? s.input : (float *)a->shared + l->windows + block * l->steps * l->v_step;
        for (int64_t step = 0; step < l->steps && l->own_input; step++) {
            transform_input(m, l, source_of(l, a), s.zeros, block * l->block,
                    tarn_min((block + 1) * l->block, l->tiles.count), step, v + step * l->v_step);
        }
        for (int64_t width = span * l->widths / l->spans; width < (span + 1) * l->widths / l->spans; width++) {
            multiply_width(m, l, a, &s, block, width, v);
        }
    }
}

WINOGRAD_INLINE void multiply(const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    if (l->shares_weights) {
        multiply_blocks(m, l, a, begin, end);
    } else {
        multiply_widths(m, l, a, begin, end);
    }
}

/* A kernel. */
#define PHASE(name, step, direction) \
    static int32_t name(const void *args, int64_t begin, int64_t end) { \
        const layout l = layout_of(args, direction); \
        WINOGRAD_RUN(l.m, step, &l, args, begin, end); \
        return TARN_OK; \
    }

static int32_t plan_forward(const void *args, tarn_plan *p) {
    return conv2d_forward_valid(args) ? plan(args, FORWARD, p) : TARN_BAD_ARGUMENT;
}
PHASE(forward_prepare, prepare, FORWARD)
PHASE(forward_share_input, share_input, FORWARD)
PHASE(forward, multiply, FORWARD)
VARIANT_NAMED(conv2d_forward, winograd, conv2d, plan_forward, forward_prepare, forward_share_input, forward);

static int32_t plan_backward_data(const void *args, tarn_plan *p) {
    return conv2d_backward_data_valid(args) ? plan(args, BACKWARD, p) : TARN_BAD_ARGUMENT;
}
PHASE(backward_data_prepare, prepare, BACKWARD)
PHASE(backward_data_share_input, share_input, BACKWARD)
PHASE(backward_data, multiply, BACKWARD)
VARIANT_NAMED(conv2d_backward_data, winograd, conv2d, plan_backward_data, backward_data_prepare, backward_data_share_input,
        backward_data);
