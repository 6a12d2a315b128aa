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

typedef struct {
    int64_t m, planes;
    winograd_tiles input, grad_output; /* the same tiles, of either tensor */
    int64_t inputs, input_blocks;      /* channels in a block, blocks */
    int64_t outputs, output_blocks;
    int64_t span, spans;               /* output blocks in a task, which share V; tasks for all */
    int64_t chunk, chunks;             /* tiles in a task, tasks for all */
    int64_t sums;                      /* private sums that are planned: never fewer for more images */
    int64_t visit;                     /* tiles that are transformed and multiplied at a time */
    int64_t d, u, plane;               /* floats from V of a plane to its D, to its U, to the next plane */
} layout;

/* What a task works on: channels [in, in + inputs) and [out, out + outputs). */
typedef struct {
    int64_t in, inputs, out, outputs;
    float *v;              /* [tile][input] of the first plane */
    float *d;              /* [panel][tile][lanes] */
    float *u;              /* [panel][input][lanes] */
    const float *zeros;
} block;

/* count in as few equal parts of at most `most` as can be, rounded up to a multiple. */
static int64_t part_of(int64_t count, int64_t most, int64_t multiple) {
    return tarn_ceil_div(tarn_ceil_div(count, tarn_ceil_div(count, most)), multiple) * multiple;
}

/* V, D and U. An odd number of cache lines: planes a power of two apart would all fall into the same sets. */
static int64_t plane_floats(const layout *l, int64_t visit) {
    const int64_t outputs = gemm_packed_columns(l->outputs);
    return tarn_ceil_div(visit * (l->inputs + outputs) + l->inputs * outputs, 32) * 32 + 16;
}

static layout layout_of(const tarn_conv2d_args *a) {
    layout l = {.m = winograd_tile_size(a->oh, a->ow)};
    const conv2d_gather input = conv2d_gather_forward(a);
    const conv2d_gather grad_output = {conv2d_axis_forward(a->oh, a->oh, 1, 1, 0, 1),
            conv2d_axis_forward(a->ow, a->ow, 1, 1, 0, 1), a->oc, a->oc};
    l.planes = (l.m + 2) * (l.m + 2);
    l.input = winograd_tiles_of(&input, a->n, l.m);
    l.grad_output = winograd_tiles_of(&grad_output, a->n, l.m);
    l.grad_output.points = l.m;
    l.inputs = part_of(a->ic, WINOGRAD_STEP, LANES);
    l.input_blocks = tarn_ceil_div(a->ic, l.inputs);
    l.outputs = part_of(a->oc, WINOGRAD_WIDTH, LANES);
    l.output_blocks = tarn_ceil_div(a->oc, l.outputs);
    /* as many chunks as make enough tasks, if the private sums stay small and a chunk is worth its sum */
    const int64_t tiles = l.input.count;
    int64_t chunks = tarn_ceil_div(ENOUGH_TASKS, l.input_blocks * l.output_blocks);
    chunks = tarn_min(chunks, PARTIAL_BYTES / (int64_t)sizeof(float) / conv2d_weights(a));
    chunks = tarn_max(1, tarn_min(chunks, tiles / WINOGRAD_FAR_TILES));
    l.sums = chunks > 1 ? chunks : 0;
    l.chunk = tarn_max(1, tarn_ceil_div(tiles, chunks));
    l.chunks = tarn_ceil_div(tiles, l.chunk);
    l.visit = l.chunk <= WINOGRAD_FAR_TILES ? l.chunk : part_of(l.chunk, WINOGRAD_SUM_TILES, 1);
    /* in one visit no U has to wait for the next, so V can serve several blocks */
    l.span = l.visit < l.chunk ? 1 : tarn_max(1, l.input_blocks * l.output_blocks * l.chunks / ENOUGH_TASKS);
    l.spans = tarn_ceil_div(l.output_blocks, l.span);
    l.d = l.visit * l.inputs;
    l.u = l.d + l.visit * gemm_packed_columns(l.outputs);
    l.plane = plane_floats(&l, l.visit);
    return l;
}

static int declines(const tarn_conv2d_args *a) {
    return a->kh != 3 || a->kw != 3 || a->sh != 1 || a->sw != 1 || a->dh != 1 || a->dw != 1 || a->groups != 1
            || a->ic < WINOGRAD_CHANNELS || a->oc < WINOGRAD_CHANNELS || a->oh < 2 || a->ow < 2;
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
    /* a smaller batch may have larger visits, and needs no more memory than this one */
    const int64_t plane = plane_floats(&l, tarn_min(l.input.count, WINOGRAD_FAR_TILES));
    *plan = (tarn_plan){
        .tasks = {l.chunks * l.input_blocks * l.spans, l.chunks > 1 ? tarn_ceil_div(weights, REDUCE_TASK) : 0},
        .shared = l.sums * weights * (int64_t)sizeof(float),
        .scratch = (l.planes * plane + tarn_max(l.inputs, l.outputs)) * (int64_t)sizeof(float),
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
            vec_prefetch_write(to + (i * points + j) * plane + LANES);
        }
    }
}

/* The transformed gradients of a tile, of `tiles` in the visit. */
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

/* V of a visit. */
WINOGRAD_INLINE void transform_input(
        const int m, const tarn_conv2d_args *a, const layout *l, const block *b, int64_t tile, int64_t count) {
    winograd_source source;
    for (int64_t t = 0; t < count; t++) {
        const winograd_tile at = winograd_tile_at(&l->input, tile + t);
        winograd_find_source(&l->input, (const float *)a->input + b->in, b->zeros, &at, m + 2, m + 2, &source);
        winograd_input_tile(m, &source, 0, b->inputs, b->v + t * l->inputs, l->plane);
    }
}

/* D of a visit. */
WINOGRAD_INLINE void transform_grad_output(
        const int m, const tarn_conv2d_args *a, const layout *l, const block *b, int64_t tile, int64_t count) {
    winograd_source source;
    for (int64_t t = 0; t < count; t++) {
        const winograd_tile at = winograd_tile_at(&l->grad_output, tile + t);
        winograd_find_source(&l->grad_output, (const float *)a->grad_output + b->out, b->zeros, &at, at.height, at.width,
                &source);
        grad_output_tile(m, &source, b->outputs, b->d, t, count, l->plane);
    }
}

/* U = V^T D of count tiles, or U += V^T D. The next plane is fetched into L1 meanwhile, a part with each tile of U. */
static void multiply(const layout *l, const block *b, int64_t tile, int64_t count, int64_t accumulate) {
    const int64_t tiles = tarn_ceil_div(b->inputs, WEIGHT_ROWS), panels = tarn_ceil_div(b->outputs, NR);
    for (int64_t plane = 0; plane < l->planes; plane++) {
        const winograd_range range = winograd_plane(&l->input, plane, tile, count);
        const int64_t offset = plane * l->plane;
        const float *following = b->v + (plane + 1) % l->planes * l->plane;
        for (int64_t panel = 0, done = 0; panel < panels; panel++) {
            const int64_t lanes = gemm_panel_lanes(b->outputs, panel * NR);
            int64_t rows[MR];
            for (int64_t i = 0; i < MR; i++) {
                rows[i] = i * lanes;
            }
            for (int64_t i = 0; i < tiles; i++, done++) {
                const int64_t row = i * b->inputs / tiles, height = (i + 1) * b->inputs / tiles - row;
                const gemm_tile tile = {
                    .a = b->v + offset + range.first * l->inputs + row,
                    .pitch = l->inputs,
                    .b = b->d + offset + panel * NR * count + range.first * lanes,
                    .depth = range.count,
                    .runs = 1,
                    .c = b->u + offset + panel * NR * l->inputs + row * lanes,
                    .rows = rows,
                    .columns = lanes,
                    .accumulate = accumulate,
                    .next = following + l->plane * done / (tiles * panels),
                };
                gemm_tiles[height - 1][lanes / LANES - 1](&tile);
            }
        }
    }
}

/* G^T U G of n <= LANES output channels of one input channel. */
WINOGRAD_INLINE void weight_vector(
        const int m, const float *u, int64_t plane, float *to, int64_t tap, int64_t next, int64_t n, int accumulate) {
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
            vec_prefetch_write(p + next);
            vec_store_upto(p, accumulate ? vec_add(vec_load_upto(p, n), y[j]) : y[j], n);
        }
    }
}

/* The gradient of a block, to its first element. Rows lie far apart: each fetches the next. */
WINOGRAD_INLINE void transform_back(
        const int m, const tarn_conv2d_args *a, const layout *l, const block *b, float *to, int accumulate) {
    for (int64_t i = 0; i < b->inputs; i++, to += a->oc) {
        for (int64_t o = 0; o < b->outputs; o += LANES) {
            const int64_t column = o / NR * NR, lanes = gemm_panel_lanes(b->outputs, column);
            weight_vector(m, b->u + column * l->inputs + i * lanes + o - column, l->plane, to + o, a->ic * a->oc,
                    i + 1 < b->inputs ? a->oc : 0, tarn_min(LANES, b->outputs - o), accumulate);
        }
    }
}

/* Phase 0, a task is a chunk of tiles, a block of input channels and a span of blocks of output channels. */
WINOGRAD_INLINE void run(const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    float *v = a->scratch, *zeros = v + l->planes * l->plane;
    conv2d_zero(zeros, tarn_max(l->inputs, l->outputs));
    for (int64_t task = begin; task < end; task++) {
        const int64_t in = task % l->input_blocks * l->inputs, span = task / l->input_blocks % l->spans;
        const int64_t chunk = task / l->input_blocks / l->spans;
        const int64_t first = chunk * l->chunk, stop = tarn_min(first + l->chunk, l->input.count);
        float *sum = l->chunks > 1 ? (float *)a->shared + chunk * conv2d_weights(a) : a->grad_weight;
        for (int64_t i = span * l->span; i < tarn_min((span + 1) * l->span, l->output_blocks); i++) {
            const int64_t out = i * l->outputs;
            const block b = {in, tarn_min(l->inputs, a->ic - in), out, tarn_min(l->outputs, a->oc - out), v, v + l->d,
                    v + l->u, zeros};
            for (int64_t tile = first; tile < stop; tile += l->visit) {
                const int64_t count = tarn_min(l->visit, stop - tile);
                if (l->visit < l->chunk || i == span * l->span) {
                    transform_input(m, a, l, &b, tile, count);
                }
                transform_grad_output(m, a, l, &b, tile, count);
                multiply(l, &b, tile, count, tile > first);
            }
            transform_back(m, a, l, &b, sum + in * a->oc + out, l->chunks == 1);
        }
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
VARIANT_NAMED(conv2d_backward_weight, winograd, conv2d, plan, backward_weight, reduce);
