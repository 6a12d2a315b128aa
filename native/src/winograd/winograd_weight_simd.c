/*
 * Gradient of 3x3 weights with stride 1 by Winograd's algorithm (transforms.h): tiles of the input and of the gradient of
 * the output are transformed, and each of the (m+2)^2 planes is a matrix product over the tiles, V transposed times D. The
 * sum U of all tiles, transformed, is the gradient.
 *
 * A task takes a chunk of the tiles and a block of channels of either kind, so that U, and V and D of one visit, stay in
 * L2. Where channels alone make enough tasks there is one chunk, which adds to grad_weight, and phase 0 makes V and D
 * for all blocks, which would transform the same again and again; unless that is too much memory. Else chunks have
 * private sums of the gradient, which the last phase adds in order.
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
    int64_t visit, visits;             /* tiles that are multiplied at a time, and how often */
    int64_t chunks;                    /* of the visits */
    int64_t v_plane, d_plane, u_plane; /* floats from plane to plane */
    int64_t v_block, d_block;          /* floats of one visit and block of channels */
    int64_t all;                       /* floats of V and D of all visits and blocks, if they may be shared */
    int64_t shares;                    /* 1: they are */
} layout;

/* What a task works on: channels [in, in + inputs) and [out, out + outputs). */
typedef struct {
    int64_t in, inputs, out, outputs;
    float *v;              /* [plane][tile][input] */
    float *d;              /* [plane][panel][tile][lanes] */
    float *u;              /* [plane][panel][input][lanes] */
    float *zeros;
} block;

/* count in as few equal parts of at most `most` as can be, rounded up to a multiple. */
static int64_t part_of(int64_t count, int64_t most, int64_t multiple) {
    return tarn_ceil_div(tarn_ceil_div(count, tarn_max(1, tarn_ceil_div(count, most))), multiple) * multiple;
}

/* An odd number of cache lines: planes a power of two apart would all fall into the same sets. */
static int64_t plane_of(int64_t floats) { return tarn_ceil_div(floats, 32) * 32 + 16; }

/* Sizes that follow from the tiles in a visit. */
static void set_visit(layout *l, int64_t visit) {
    l->visit = tarn_max(1, visit);
    l->visits = tarn_ceil_div(l->input.count, l->visit);
    l->v_plane = plane_of(l->visit * l->inputs);
    l->d_plane = plane_of(l->visit * l->outputs);
    l->v_block = l->planes * l->v_plane;
    l->d_block = l->planes * l->d_plane;
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
    l.inputs = part_of(a->ic, WINOGRAD_WIDTH, LANES);
    l.input_blocks = tarn_ceil_div(a->ic, l.inputs);
    l.outputs = part_of(a->oc, WINOGRAD_WIDTH, LANES);
    l.output_blocks = tarn_ceil_div(a->oc, l.outputs);
    l.u_plane = plane_of(l.inputs * l.outputs);
    const int64_t tiles = l.input.count, wanted = tarn_ceil_div(ENOUGH_TASKS, l.input_blocks * l.output_blocks);
    if (wanted == 1) {
        set_visit(&l, part_of(tiles, WINOGRAD_FAR_TILES, 1));
        l.all = l.visits * (l.input_blocks * l.v_block + l.output_blocks * l.d_block);
        l.shares = l.all <= WINOGRAD_SHARED_BYTES / (int64_t)sizeof(float);
    }
    if (!l.shares) {
        set_visit(&l, part_of(tiles, WINOGRAD_SUM_TILES, 1));
    }
    /* as many chunks as are wanted, if the private sums stay small and a chunk is worth its sum */
    l.chunks = tarn_min(wanted, PARTIAL_BYTES / (int64_t)sizeof(float) / conv2d_weights(a));
    l.chunks = tarn_max(1, tarn_min(l.chunks, tiles / WINOGRAD_FAR_TILES));
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
    /* a smaller batch may share where this one does not, or have larger visits, and needs no more memory than this one */
    const int64_t all = tarn_min(l.all, WINOGRAD_SHARED_BYTES / (int64_t)sizeof(float));
    layout largest = l;
    set_visit(&largest, tarn_min(l.input.count, WINOGRAD_SUM_TILES));
    const int64_t own = l.shares ? 0 : largest.v_block + largest.d_block;
    *plan = (tarn_plan){
        .tasks = {l.shares ? l.visits * (l.input_blocks + l.output_blocks) : 0,
                l.chunks * l.input_blocks * l.output_blocks, l.chunks > 1 ? tarn_ceil_div(weights, REDUCE_TASK) : 0},
        .shared = (l.chunks > 1 ? l.chunks * weights : all) * (int64_t)sizeof(float),
        .scratch = (own + l.planes * l.u_plane + tarn_max(l.inputs, l.outputs)) * (int64_t)sizeof(float),
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
        winograd_input_tile(m, &source, 0, b->inputs, b->v + t * l->inputs, l->v_plane);
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
        grad_output_tile(m, &source, b->outputs, b->d, t, count, l->d_plane);
    }
}

/*
 * U = V^T D of count tiles, or U += V^T D. The next plane is fetched into L1 meanwhile: its V with the first half of the
 * panels, its D with the others.
 */
static void multiply(const layout *l, const block *b, int64_t tile, int64_t count, int64_t accumulate) {
    const int64_t panels = tarn_ceil_div(b->outputs, NR), half = tarn_ceil_div(panels, 2);
    const int64_t width = tarn_ceil_div(WINOGRAD_WIDTH, half); /* channels of the next plane that a panel fetches */
    for (int64_t plane = 0; plane < l->planes; plane++) {
        const winograd_range range = winograd_plane(&l->input, plane, tile, count);
        const int64_t next = (plane + 1) % l->planes;
        for (int64_t panel = 0; panel < panels; panel++) {
            const int64_t lanes = gemm_panel_lanes(b->outputs, panel * NR);
            gemm_strip u = {
                .a = b->v + plane * l->v_plane + range.first * l->inputs,
                .pitch = l->inputs,
                .b = b->d + plane * l->d_plane + panel * NR * count + range.first * lanes,
                .depth = range.count,
                .runs = 1,
                .c = b->u + plane * l->u_plane + panel * NR * l->inputs,
                .row_pitch = lanes,
                .columns = lanes,
                .accumulate = accumulate,
                .next = (panel < half ? b->v + next * l->v_plane : b->d + next * l->d_plane)
                        + panel % half * width * count,
            };
            u.next_step = tarn_ceil_div(width, gemm_tile_count(&u, b->inputs));
            gemm_multiply_rows(&u, b->inputs);
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
            weight_vector(m, b->u + column * l->inputs + i * lanes + o - column, l->u_plane, to + o, a->ic * a->oc,
                    i + 1 < b->inputs ? a->oc : 0, tarn_min(LANES, b->outputs - o), accumulate);
        }
    }
}

/* Where V and D of a visit and a block of channels are shared. */
static float *shared_v(const layout *l, const tarn_conv2d_args *a, int64_t visit, int64_t input_block) {
    return (float *)a->shared + (visit * l->input_blocks + input_block) * l->v_block;
}

static float *shared_d(const layout *l, const tarn_conv2d_args *a, int64_t visit, int64_t output_block) {
    return shared_v(l, a, l->visits, 0) + (visit * l->output_blocks + output_block) * l->d_block;
}

/* Of the first input and output channels of a block. */
static block block_of(const layout *l, const tarn_conv2d_args *a, int64_t input_block, int64_t output_block) {
    const int64_t in = input_block * l->inputs, out = output_block * l->outputs;
    float *u = a->scratch, *zeros = u + l->planes * l->u_plane, *v = zeros + tarn_max(l->inputs, l->outputs);
    return (block){in, tarn_min(l->inputs, a->ic - in), out, tarn_min(l->outputs, a->oc - out), v, v + l->v_block, u, zeros};
}

static int64_t tiles_of(const layout *l, int64_t visit) { return tarn_min(l->visit, l->input.count - visit * l->visit); }

/* Phase 0, a task is a visit and a block of either kind of channels. */
WINOGRAD_INLINE void share(const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    const int64_t blocks = l->input_blocks + l->output_blocks;
    conv2d_zero(block_of(l, a, 0, 0).zeros, tarn_max(l->inputs, l->outputs));
    for (int64_t task = begin; task < end; task++) {
        const int64_t visit = task / blocks, i = task % blocks, o = i - l->input_blocks;
        if (o < 0) {
            block b = block_of(l, a, i, 0);
            b.v = shared_v(l, a, visit, i);
            transform_input(m, a, l, &b, visit * l->visit, tiles_of(l, visit));
        } else {
            block b = block_of(l, a, 0, o);
            b.d = shared_d(l, a, visit, o);
            transform_grad_output(m, a, l, &b, visit * l->visit, tiles_of(l, visit));
        }
    }
}

/* Phase 1, a task is a chunk of the visits, and a block of input channels and one of output channels. */
WINOGRAD_INLINE void run(const int m, const layout *l, const tarn_conv2d_args *a, int64_t begin, int64_t end) {
    conv2d_zero(block_of(l, a, 0, 0).zeros, tarn_max(l->inputs, l->outputs));
    for (int64_t task = begin; task < end; task++) {
        const int64_t i = task % l->input_blocks, o = task / l->input_blocks % l->output_blocks;
        const int64_t chunk = task / l->input_blocks / l->output_blocks, first = chunk * l->visits / l->chunks;
        block b = block_of(l, a, i, o);
        for (int64_t visit = first; visit < (chunk + 1) * l->visits / l->chunks; visit++) {
            const int64_t tile = visit * l->visit, count = tiles_of(l, visit);
            if (l->shares) {
                b.v = shared_v(l, a, visit, i);
                b.d = shared_d(l, a, visit, o);
            } else {
                transform_input(m, a, l, &b, tile, count);
                transform_grad_output(m, a, l, &b, tile, count);
            }
            multiply(l, &b, tile, count, visit > first);
        }
        float *sum = l->chunks > 1 ? (float *)a->shared + chunk * conv2d_weights(a) : a->grad_weight;
        transform_back(m, a, l, &b, sum + b.in * a->oc + b.out, l->chunks == 1);
    }
}

/* A kernel. */
#define PHASE(name, step) \
    static int32_t name(const void *args, int64_t begin, int64_t end) { \
        const layout l = layout_of(args); \
        WINOGRAD_RUN(l.m, step, &l, args, begin, end); \
        return TARN_OK; \
    }
PHASE(share_transforms, share)
PHASE(backward_weight, run)

/* Phase 2, a task is a range of grad_weight. */
static int32_t reduce(const void *args, int64_t begin, int64_t end) {
    conv2d_reduce(args, layout_of(args).chunks, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_backward_weight, winograd, conv2d, plan, share_transforms, backward_weight, reduce);
