/*
 * Gradient of the weights where the input has few channels, as in first layers. A tile is some neighbouring rows of
 * grad_weight times one or two vectors of output channels; both operands are read in place, windows from padded lines
 * (padded_lines.h). To gather and to pack them would cost half as much as the products. A task takes a chunk of the
 * output lines; chunks have private sums, which phase 1 adds in order. One chunk adds to grad_weight at once.
 */
#include "conv2d/padded_lines.h"
#include "conv2d/private_sums.h"
#include "gemm/panel.h"

#define MAX_INPUTS 8

/* What a tile reads and adds to: rows of grad_weight are elements of a window that lie side by side in a line. */
typedef struct {
    const float *x;         /* the first row's element in the window of the first pixel */
    const float *grad;      /* the first column's of the first pixel */
    float *sums;
    int64_t lines, pixels;
    int64_t line, pixel;    /* floats of x from one output line and pixel to the next */
    int64_t columns;        /* of grad and sums, floats */
    const float *next;      /* what is fetched for the next visit, one step with each pixel */
    int64_t step;
} window_tile;

static inline __attribute__((always_inline)) void add_window_tile(
        const window_tile *t, const int rows, const int vectors) {
    vec acc[TILE_ROWS][TILE_VECTORS];
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            acc[i][j] = vec_load(t->sums + i * t->columns + j * LANES);
        }
    }
    const int64_t columns = t->columns, pixel = t->pixel, step = t->step;
    const float *grad = t->grad, *next = t->next;
    for (int64_t y = 0; y < t->lines; y++) {
        const float *x = t->x + y * t->line;
        for (int64_t p = 0; p < t->pixels; p++, x += pixel, grad += columns) {
            vec g[TILE_VECTORS];
            if (vectors > 1) { /* one leaves no time for another load */
                __builtin_prefetch(next);
                next += step;
            }
#pragma GCC unroll 4
            for (int j = 0; j < vectors; j++) {
                g[j] = vec_load(grad + j * LANES);
            }
#pragma GCC unroll 16
            for (int i = 0; i < rows; i++) {
                const vec xi = vec_set1(x[i]);
#pragma GCC unroll 4
                for (int j = 0; j < vectors; j++) {
                    acc[i][j] = vec_fma(xi, g[j], acc[i][j]);
                }
            }
        }
    }
#pragma GCC unroll 16
    for (int i = 0; i < rows; i++) {
#pragma GCC unroll 4
        for (int j = 0; j < vectors; j++) {
            vec_store(t->sums + i * t->columns + j * LANES, acc[i][j]);
        }
    }
}

#if TILE_ROWS == 14
#define EACH_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14)
#else
#define EACH_ROWS(X) X(1) X(2) X(3) X(4) X(5) X(6)
#endif
#if TILE_VECTORS == 4
#define EACH_WIDTH(X, m) X(m, 1) X(m, 2) X(m, 3) X(m, 4)
#else
#define EACH_WIDTH(X, m) X(m, 1) X(m, 2)
#endif
#define WINDOW_FUNCTION(m, n) static void window_tile_##m##_##n(const window_tile *t) { add_window_tile(t, m, n); }
#define WINDOW_NAME(m, n) window_tile_##m##_##n,
#define WINDOW_TILE(m) EACH_WIDTH(WINDOW_FUNCTION, m)
#define WINDOW_ROW(m) {EACH_WIDTH(WINDOW_NAME, m)},
EACH_ROWS(WINDOW_TILE)
/* [rows - 1][vectors - 1] */
static void (*const window_tiles[TILE_ROWS][TILE_VECTORS])(const window_tile *) = {EACH_ROWS(WINDOW_ROW)};

typedef struct {
    padded_lines padded;
    int64_t lines;      /* output lines of a visit: what they read stays in cache */
    int64_t chunks;
    int64_t scratch;    /* floats */
} layout;

static layout layout_of(const tarn_conv2d_args *a) {
    const conv2d_gather g = conv2d_gather_forward(a);
    layout l = {.padded = padded_lines_of(&g)};
    const int64_t line = a->ow * a->oc + a->sh * l.padded.pitch;
    l.lines = tarn_min(a->oh, tarn_max(1, BLOCK_BYTES / (int64_t)sizeof(float) / line));
    l.scratch = padded_lines_read(&g, l.lines) * l.padded.pitch;
    const int64_t chunks = tarn_min(PARTIAL_BYTES / (int64_t)sizeof(float) / conv2d_weights(a),
            a->n * a->oh * a->ow / (2 * WEIGHT_PIXELS));
    l.chunks = tarn_max(1, tarn_min(tarn_min(chunks, ENOUGH_TASKS), a->n * a->oh));
    return l;
}

static int32_t plan(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_backward_weight_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    const conv2d_gather g = conv2d_gather_forward(a);
    /* with longer strides lines would be copied that no window reads */
    if (a->groups > 1 || a->ic > MAX_INPUTS || a->oc % LANES || a->kh * a->kw == 1 || !padded_lines_fit(&g)
        || a->sh > a->kh * a->dh) {
        return TARN_DECLINED;
    }
    const layout l = layout_of(a);
    const int64_t weights = conv2d_weights(a);
    *plan = (tarn_plan){
        .tasks = {a->n ? l.chunks : 0, a->n && l.chunks > 1 ? tarn_ceil_div(weights, REDUCE_TASK) : 0},
        .shared = l.chunks > 1 ? l.chunks * weights * (int64_t)sizeof(float) : 0,
        .scratch = l.scratch * (int64_t)sizeof(float),
    };
    return TARN_OK;
}

/*
 * All tiles of a visit, which holds its pixels and the first tile. Gradients come from memory once, and each tile
 * fetches its share of those that the next visit reads: waiting for them would take a quarter of the time.
 */
static void add_windows(const tarn_conv2d_args *a, const padded_lines *l, const window_tile *visit) {
    const int64_t tiles = tarn_ceil_div(l->run, TILE_ROWS), passes = a->kh * tiles * tarn_ceil_div(a->oc, NR);
    const int64_t step = tarn_ceil_div(a->oc, passes);
    const float *next = visit->grad + visit->lines * visit->pixels * a->oc;
    for (int64_t column = 0, vectors; column < a->oc; column += vectors * LANES) {
        vectors = tarn_min(TILE_VECTORS, (a->oc - column) / LANES);
        for (int64_t i = 0; i < a->kh; i++) {
            for (int64_t tile = 0; tile < tiles; tile++) {
                const int64_t row = tarn_cut(l->run, tiles, tile);
                window_tile t = *visit;
                t.x += i * a->dh * l->pitch + row;
                t.grad += column;
                t.next = next;
                t.step = step;
                next += t.lines * t.pixels * step;
                t.sums += (i * l->run + row) * a->oc + column;
                window_tiles[tarn_cut(l->run, tiles, tile + 1) - row - 1][vectors - 1](&t);
            }
        }
    }
}

/* Phase 0, a task is a chunk of all output lines. */
static int32_t backward_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const conv2d_gather g = conv2d_gather_forward(a);
    const layout l = layout_of(a);
    const int64_t all = a->n * a->oh, weights = conv2d_weights(a);
    for (int64_t chunk = begin; chunk < end; chunk++) {
        float *sums = a->grad_weight;
        if (l.chunks > 1) {
            sums = (float *)a->shared + chunk * weights;
            conv2d_zero(sums, weights);
        }
        const int64_t stop = tarn_cut(all, l.chunks, chunk + 1);
        for (int64_t at = tarn_cut(all, l.chunks, chunk), lines; at < stop; at += lines) {
            const int64_t image = at / a->oh, y = at % a->oh;
            lines = tarn_min(tarn_min(l.lines, a->oh - y), stop - at);
            padded_lines_copy(&g, &l.padded, (const float *)a->input + image * a->h * a->w * a->ic, y, lines,
                    a->scratch);
            add_windows(a, &l.padded, &(window_tile){
                .x = a->scratch,
                .grad = (const float *)a->grad_output + at * a->ow * a->oc,
                .sums = sums,
                .lines = lines,
                .pixels = a->ow,
                .line = a->sh * l.padded.pitch,
                .pixel = a->sw * a->ic,
                .columns = a->oc,
            });
        }
    }
    return TARN_OK;
}

/* Phase 1, a task is a range of grad_weight. */
static int32_t reduce(const void *args, int64_t begin, int64_t end) {
    conv2d_reduce(args, layout_of(args).chunks, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_backward_weight, few_inputs, conv2d, plan, backward_weight, reduce);
