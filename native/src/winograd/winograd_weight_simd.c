/*
 * Gradient of 3x3 weights with stride 1 by Winograd's algorithm (transforms.h): tiles of the input and of the gradient of
 * the output are transformed, and each of the (m+2)^2 planes is a matrix product over the tiles, V transposed times D. The
 * sum U of all tiles, transformed, is the gradient.
 *
 * A task takes a chunk of the tiles and a block of channels of either kind, so that U, and V and D of one visit, stay in
 * L2. Chunks have private sums of the gradient, which phase 1 adds in order. One chunk adds to grad_weight at once.
 */
#define GEMM_TRANSPOSED 1

#include "conv2d/private_sums.h"
#include "gemm/gemm.h"
#include "winograd/tiles.h"

#ifndef VISIT
#define VISIT 48
#endif
#ifndef BLOCK_IN
#define BLOCK_IN 64
#endif
#ifndef BLOCK_OUT
#define BLOCK_OUT 64
#endif
#ifndef ROWS
#define ROWS 11
#endif
#define LINE 16 /* floats of a cache line: planes a power of two apart would all fall into the same sets */

typedef struct {
    int64_t m, planes;
    winograd_tiles input, grad_output;        /* the same tiles, of either tensor */
    int64_t inputs, input_blocks;             /* channels in a block, blocks */
    int64_t outputs, output_blocks;
    int64_t chunk, chunks;                    /* tiles in a task, tasks for all */
    int64_t visit;                            /* tiles that are transformed and multiplied at a time */
    int64_t v_pitch;                          /* floats from tile to tile of V */
    int64_t v_plane, d_plane, u_plane;        /* floats from plane to plane */
} layout;

/* The parts of a task: channels [in, in + inputs) times [out, out + outputs), and the planes. */
typedef struct {
    int64_t in, inputs, out, outputs;
    float *v;              /* [plane][tile][input] */
    float *d;              /* [plane][panel][tile][lanes] */
    float *u;              /* [plane][panel][input][lanes] */
    const float *zeros;
} block;

/* count cut into equal parts of at most `most`, in multiples. */
static int64_t part_of(int64_t count, int64_t most, int64_t multiple) {
    return tarn_ceil_div(tarn_ceil_div(count, tarn_ceil_div(count, most)), multiple) * multiple;
}

static layout layout_of(const tarn_conv2d_args *a) {
    layout l = {.m = tarn_min(a->oh, a->ow) <= 2 ? 2 : 4};
    const conv2d_gather input = conv2d_gather_forward(a);
    const conv2d_gather grad_output = {conv2d_axis_forward(a->oh, a->oh, 1, 1, 0, 1),
            conv2d_axis_forward(a->ow, a->ow, 1, 1, 0, 1), a->oc, a->oc};
    l.planes = (l.m + 2) * (l.m + 2);
    l.input = winograd_tiles_of(&input, a->n, l.m);
    l.grad_output = winograd_tiles_of(&grad_output, a->n, l.m);
    l.grad_output.points = l.m;
    l.inputs = part_of(a->ic, BLOCK_IN, LANES);
    l.input_blocks = tarn_ceil_div(a->ic, l.inputs);
    l.outputs = part_of(a->oc, BLOCK_OUT, LANES);
    l.output_blocks = tarn_ceil_div(a->oc, l.outputs);
    /* as many chunks as make enough tasks, if the private sums stay small and a chunk is worth its sum */
    const int64_t tiles = l.input.count;
    int64_t chunks = tarn_ceil_div(ENOUGH_TASKS, l.input_blocks * l.output_blocks);
    chunks = tarn_min(chunks, PARTIAL_BYTES / (int64_t)sizeof(float) / conv2d_weights(a));
    chunks = tarn_max(1, tarn_min(chunks, tiles / 64));
    l.chunk = tarn_max(1, tarn_ceil_div(tiles, chunks));
    l.chunks = tarn_ceil_div(tiles, l.chunk);
    l.visit = part_of(l.chunk, VISIT, 1);
    l.v_pitch = l.inputs;
    l.v_plane = l.visit * l.v_pitch + LINE;
    l.d_plane = l.visit * gemm_packed_columns(l.outputs) + LINE;
    l.u_plane = l.inputs * gemm_packed_columns(l.outputs) + LINE;
    return l;
}

static int declines(const tarn_conv2d_args *a) {
    return a->kh != 3 || a->kw != 3 || a->sh != 1 || a->sw != 1 || a->dh != 1 || a->dw != 1 || a->groups != 1
            || a->ic < 16 || a->oc < 16;
}

static int32_t plan(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_backward_weight_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    if (declines(a)) {
        return TARN_DECLINED;
    }
    const layout l = layout_of(a);
    const int64_t weights = conv2d_weights(a);
    *plan = (tarn_plan){
        .tasks = {l.chunks * l.input_blocks * l.output_blocks, l.chunks > 1 ? tarn_ceil_div(weights, REDUCE_TASK) : 0},
        .shared = l.chunks > 1 ? l.chunks * weights * (int64_t)sizeof(float) : 0,
        .scratch = (l.planes * (l.v_plane + l.d_plane + l.u_plane) + tarn_max(l.inputs, l.outputs))
                * (int64_t)sizeof(float),
    };
    return TARN_OK;
}

/* A dY A^T of n <= LANES channels from c on. Whole vectors are written. */
WINOGRAD_INLINE void grad_output_vector(
        const int m, const int edge, const winograd_source *s, int64_t c, int64_t n, float *to, int64_t plane) {
    const int points = m + 2;
    int64_t line = s->line, pitch = s->pitch;
    WINOGRAD_HIDE(line);
    WINOGRAD_HIDE(pitch);
    WINOGRAD_HIDE(plane);
    vec x[WINOGRAD_POINTS], y[WINOGRAD_POINTS], half[WINOGRAD_POINTS][WINOGRAD_POINTS];
#pragma GCC unroll 4
    for (int j = 0; j < m; j++) {
#pragma GCC unroll 4
        for (int i = 0; i < m; i++) {
            const float *pixel = edge ? s->pixel[i * m + j] : s->first + i * line + j * pitch;
            x[i] = vec_load_upto(pixel + c, n);
        }
        winograd_grad_output(m, x, y);
#pragma GCC unroll 6
        for (int i = 0; i < points; i++) {
            half[i][j] = y[i];
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < points; i++) {
        winograd_grad_output(m, half[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < points; j++) {
            vec_store(to + (i * points + j) * plane, y[j]);
        }
    }
}

/* The transformed gradients of a tile. to: of the first panel; panel: floats from panel to panel. */
WINOGRAD_INLINE void grad_output_tile(
        const int m, const winograd_source *s, int64_t channels, float *d, int64_t tile, int64_t tiles, int64_t plane) {
    for (int64_t c = 0; c < channels; c += LANES) {
        const int64_t column = c / NR * NR, n = tarn_min(LANES, channels - c);
        float *to = d + column * tiles + tile * gemm_panel_lanes(channels, column) + c - column;
        if (s->edge) {
            grad_output_vector(m, 1, s, c, n, to, plane);
        } else if (n < LANES) {
            grad_output_vector(m, 0, s, c, n, to, plane);
        } else {
            grad_output_vector(m, 0, s, c, LANES, to, plane);
        }
    }
}

/* V and D of a visit. */
WINOGRAD_INLINE void transform(
        const int m, const tarn_conv2d_args *a, const layout *l, const block *b, int64_t tile, int64_t count) {
    const float *input = (const float *)a->input + b->in, *grad_output = (const float *)a->grad_output + b->out;
    conv2d_position at = winograd_tile(&l->input, tile);
    winograd_source source;
    for (int64_t t = 0; t < count; t++, winograd_next_tile(&l->input, &at)) {
        winograd_find_source(&l->input, input, b->zeros, &at, &source);
        winograd_input_tile(m, &source, 0, b->inputs, b->v + t * l->v_pitch, l->v_plane);
        winograd_find_source(&l->grad_output, grad_output, b->zeros, &at, &source);
        grad_output_tile(m, &source, b->outputs, b->d, t, count, l->d_plane);
    }
}

/* Tiles that the next visit reads are fetched into L2 during this one's products. */
typedef struct {
    const winograd_tiles *tiles;
    const float *source;
    int64_t channels;
    conv2d_position at;
} fetch;

#ifndef PF2
#define PF2 1
#endif
#define PREFETCH(p, level) __builtin_prefetch(p, 0, level)
/* One of the m x m pixels of a tile that its neighbours above and to the left do not read. */
static inline void fetch_pixel(const winograd_tiles *t, const float *source, int64_t channels, const conv2d_position *at, int64_t i, int64_t j) {
    const conv2d_gather *g = &t->gather;
    const int64_t y = at->y + g->y.first + t->points - t->m + i, x = at->x + g->x.first + t->points - t->m + j;
    if (y >= 0 && y < g->y.source && x >= 0 && x < g->x.source) {
        const float *p = source + ((at->image * g->y.source + y) * g->x.source + x) * g->pitch;
        for (int64_t c = 0; c < channels; c += LINE) {
            PREFETCH(p + c, 2);
        }
    }
}

/* U (+)= V^T D. */
static __attribute__((noinline)) void multiply(const tarn_conv2d_args *a, const layout *l, const block *b, int64_t tile, int64_t count, int64_t next, int accumulate) {
    const int64_t most = tarn_min(MR, ROWS), tiles = tarn_ceil_div(b->inputs, most), panels = tarn_ceil_div(b->outputs, NR);
    const int64_t calls = tiles * panels, pixels = l->m * l->m, all = next * pixels * 2;
    int64_t rows[MR], sent = 0, call = 0;
    conv2d_position at = winograd_tile(&l->input, tile + count);
    const float *v = b->v, *d = b->d;
    float *u = b->u;
    for (int64_t plane = 0; plane < l->planes; plane++, v += l->v_plane, d += l->d_plane, u += l->u_plane) {
        for (int64_t panel = 0, step = 0; panel < panels; panel++) {
            const int64_t lanes = gemm_panel_lanes(b->outputs, panel * NR);
            for (int64_t i = 0; i < MR; i++) {
                rows[i] = i * lanes;
            }
            for (int64_t i = 0; i < tiles; i++, step++) {
                const int64_t row = i * b->inputs / tiles, height = (i + 1) * b->inputs / tiles - row;
                const float *ahead = step < calls / 2 ? u + l->u_plane + l->u_plane * step / (calls / 2) : step < calls * 3 / 4 ? v + l->v_plane + (l->v_plane * (step - calls / 2) / (calls / 4)) : d + l->d_plane + l->d_plane * (step - calls * 3 / 4) / (calls / 4);
                const gemm_tile t = {
                    .a = v + row,
                    .pitch = l->v_pitch,
                    .b = d + panel * NR * count,
                    .depth = count,
                    .c = u + panel * NR * l->inputs + row * lanes,
                    .rows = rows,
                    .columns = lanes,
                    .accumulate = accumulate,
                    .ahead = ahead,
                };
                gemm_tiles[height - 1][lanes / LANES - 1](&t);
                call++;
                if (PF2)
                for (; sent * calls * l->planes < call * all; ) {
                    const int64_t p = sent % (2 * pixels);
                    if (p < pixels) fetch_pixel(&l->input, (const float *)a->input + b->in, b->inputs, &at, p / l->m, p % l->m);
                    else fetch_pixel(&l->grad_output, (const float *)a->grad_output + b->out, b->outputs, &at, (p - pixels) / l->m, p % l->m);
                    if (++sent % (2 * pixels) == 0) winograd_next_tile(&l->input, &at);
                }
            }
        }
    }
}

/* G^T U G of n <= LANES output channels of one input channel. */
WINOGRAD_INLINE void weight_vector(
        const int m, const float *u, int64_t plane, float *to, int64_t tap, int64_t n, int accumulate) {
    const int points = m + 2;
    WINOGRAD_HIDE(plane);
    WINOGRAD_HIDE(tap);
    vec x[WINOGRAD_POINTS], y[3], half[3][WINOGRAD_POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < points; j++) {
#pragma GCC unroll 6
        for (int i = 0; i < points; i++) {
            x[i] = vec_load(u + (i * points + j) * plane);
        }
        winograd_grad_weight(m, x, y);
#pragma GCC unroll 3
        for (int i = 0; i < 3; i++) {
            half[i][j] = y[i];
        }
    }
#pragma GCC unroll 3
    for (int i = 0; i < 3; i++) {
        winograd_grad_weight(m, half[i], y);
#pragma GCC unroll 3
        for (int j = 0; j < 3; j++) {
            float *p = to + (i * 3 + j) * tap;
            vec_store_upto(p, accumulate ? vec_add(vec_load_upto(p, n), y[j]) : y[j], n);
        }
    }
}
#include <x86intrin.h>
__attribute__((weak)) __attribute__((visibility("default"))) uint64_t tarn_ww_cycles[4];
#define TICK(k) { uint64_t now = __rdtsc(); tarn_ww_cycles[k] += now - t0; t0 = now; }

/* The gradient of a block, to its first element. */
WINOGRAD_INLINE void transform_back(
        const int m, const tarn_conv2d_args *a, const layout *l, const block *b, float *to, int accumulate) {
    for (int64_t o = 0; o < b->outputs; o += LANES) {
        const int64_t column = o / NR * NR, lanes = gemm_panel_lanes(b->outputs, column);
        const float *u = b->u + column * l->inputs + o - column;
        for (int64_t i = 0; i < b->inputs; i++) {
            weight_vector(m, u + i * lanes, l->u_plane, to + i * a->oc + o, a->ic * a->oc,
                    tarn_min(LANES, b->outputs - o), accumulate);
        }
    }
}

/* Phase 0, a task is a chunk of tiles and a block of the weights. */
WINOGRAD_INLINE void run(const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    float *v = a->scratch, *d = v + l->planes * l->v_plane, *u = d + l->planes * l->d_plane;
    float *zeros = u + l->planes * l->u_plane;
    conv2d_zero(zeros, tarn_max(l->inputs, l->outputs));
    uint64_t t0 = __rdtsc();
    for (int64_t task = begin; task < end; task++) {
        const int64_t in = task % l->input_blocks * l->inputs, out = task / l->input_blocks % l->output_blocks * l->outputs;
        const block b = {in, tarn_min(l->inputs, a->ic - in), out, tarn_min(l->outputs, a->oc - out), v, d, u, zeros};
        const int64_t chunk = task / l->input_blocks / l->output_blocks;
        const int64_t first = chunk * l->chunk, stop = tarn_min(first + l->chunk, l->input.count);
        for (int64_t tile = first; tile < stop; tile += l->visit) {
            const int64_t count = tarn_min(l->visit, stop - tile);
            transform(m, a, l, &b, tile, count);
            TICK(0);
            multiply(a, l, &b, tile, count, tarn_min(l->visit, stop - tile - count), tile > first);
            TICK(1);
        }
        float *sum = l->chunks > 1 ? (float *)a->shared + chunk * conv2d_weights(a) : a->grad_weight;
        transform_back(m, a, l, &b, sum + in * a->oc + out, l->chunks == 1);
    TICK(2);
    }
}

static int32_t backward_weight(const void *args, int64_t begin, int64_t end) {
    const layout l = layout_of(args);
    if (l.m == 4) {
        run(4, &l, args, begin, end);
    } else {
        run(2, &l, args, begin, end);
    }
    return TARN_OK;
}

/* Phase 1, a task is a range of grad_weight. */
static int32_t reduce(const void *args, int64_t begin, int64_t end) {
    conv2d_reduce(args, layout_of(args).chunks, begin, end);
    return TARN_OK;
}
__attribute__((used)) static void *const use_block = (void *)gemm_block;
VARIANT_NAMED(conv2d_backward_weight, winograd, conv2d, plan, backward_weight, reduce);
