/*
 * Depthwise convolution: each channel has its own window, so there is no matrix product; vectors run over the channels.
 * The gradient of the input is the same gather as forward (im2row.h), with other axes.
 *
 * Work goes by tiles: pixels of a few neighbouring lines that use the same taps. Inside the image those are all
 * taps, at a border each pixel has its own. So a tile's loops over taps hold for all of its pixels, whose sums stay in
 * registers, and each tap's weights are loaded once for all of them. Where they are all taps of a 3x3 window of stride
 * 1 or 2, weights stay in registers too, and each source is loaded once for all pixels that read it.
 */
#ifndef TARN_DEPTHWISE_H
#define TARN_DEPTHWISE_H

#include "activation/vec_activation.h"
#include "conv2d/im2row.h"
#include "cpu/blocks.h"
#include "simd/vec.h"

#define FLOAT_BYTES ((int64_t)sizeof(float))
#define DEPTHWISE_WINDOWS 3 /* kinds of tiles: 0 for any taps and the last channels, else the stride of a 3x3 window */

/* A gather of some channels of one image, and where its results are: what is read and written besides the source. */
typedef struct {
    const conv2d_gather *gather;
    const float *source;      /* first channel of the first pixel */
    float *weight;            /* (kh, kw, all channels), at the first channel */
    int64_t kw, channels;
    float *result;            /* of grid position (0, 0) */
    int64_t line, pixel;      /* bytes from a grid line's or pixel's result to the next */
    const float *bias;        /* of the first channel, or null */
    const float *residual;    /* of grid position (0, 0), or null */
    activation activation;
    int64_t lines;            /* of a tile, at most */
    int64_t far;              /* 1: the source comes from memory, and what the next tile reads is fetched */
    int64_t far_result;       /* 1: the same for the results, whose lines are fetched to be overwritten */
    int64_t stream;           /* 1: results go to memory, past the caches; whole vectors of them are aligned */
} depthwise;

/* Distances are in bytes. */
typedef struct {
    const depthwise *all;
    const float *source;          /* what the first tap of the first pixel reads */
    int64_t line, pixel;          /* from what a line or pixel reads to what the next does */
    int64_t tap_line, tap;        /* from what a tap reads to the next, down and across */
    float *weight;                /* of the first tap */
    int64_t weight_line, weight_tap;
    int64_t rows, columns;        /* of taps */
    int64_t result;               /* floats from the first result of all to that of the first pixel */
} depthwise_tile;

typedef void depthwise_run_tile(const depthwise_tile *t);

/* Sources at a constant distance are addressed from one base for five of them (gemm.h says why). HIDE the arguments. */
#define DEPTHWISE_HIDE(x) __asm__("" : "+r"(x))
#define SOURCES_OF_BASE 5
static inline __attribute__((always_inline)) float *depthwise_at(const float *p, int64_t bytes) {
    return (float *)((char *)p + bytes);
}
static inline __attribute__((always_inline)) const float *depthwise_source(
        const float *base, int64_t once, int64_t thrice, int i) {
    return depthwise_at(base, i == 3 ? thrice : i * once);
}

/* The address so many bytes on, computed here: the optimiser would keep one for each distance, more than registers. */
static inline __attribute__((always_inline)) const float *depthwise_next(const float *p, int64_t bytes) {
    p = depthwise_at(p, bytes);
    DEPTHWISE_HIDE(p);
    return p;
}

#define EACH_PIXEL(statement) \
    _Pragma("GCC unroll 7") for (int q = 0; q < lines; q++) { \
        _Pragma("GCC unroll 6") for (int p = 0; p < pixels; p++) { \
            statement; \
        } \
    }
/* The same, with the address of each: of the first, and the bytes to the next line and pixel. */
#define EACH_PIXEL_AT(first, line, pixel, statement) { \
        const float *each_line = first; \
        _Pragma("GCC unroll 7") for (int q = 0; q < lines; q++, each_line = depthwise_at(each_line, line)) { \
            _Pragma("GCC unroll 6") for (int p = 0; p < pixels; p++) { \
                float *at = depthwise_at(each_line, p * (pixel)); \
                statement; \
            } \
        } \
    }
#define EACH_TAP(statement) \
    _Pragma("GCC unroll 3") for (int i = 0; i < 3; i++) { \
        _Pragma("GCC unroll 3") for (int j = 0; j < 3; j++) { \
            statement; \
        } \
    }

static inline int64_t depthwise_far(int64_t floats) { return floats * FLOAT_BYTES > DEPTHWISE_FAR_BYTES; }

/* Fetches what a later tile uses first: tiles are many short streams side by side, which no prefetcher follows. */
static inline __attribute__((always_inline)) void depthwise_prefetch(
        const float *next, int64_t line, int64_t pixel, const int lines, const int pixels, const int write) {
#pragma GCC unroll 14
    for (int y = 0; y < lines; y++, next = depthwise_next(next, line)) {
#pragma GCC unroll 12
        for (int x = 0; x < pixels; x++) {
            if (write) {
                vec_prefetch_write(depthwise_at(next, x * pixel));
            } else {
                vec_prefetch(depthwise_at(next, x * pixel));
            }
        }
    }
}

/*
 * A vector of channels from c on, through a whole 3x3 window: each source of the tile times the taps that read it is
 * added to the pixels, or times the pixels to the taps. A pixel's products come in the order of its taps.
 */
static inline __attribute__((always_inline)) void depthwise_window(const depthwise_tile *t, int64_t c,
        const int stride, const int lines, const int pixels, vec pixel[DEPTHWISE_LINES][DEPTHWISE_PIXELS],
        vec tap[3][3], const int to_taps) {
    const int width = (pixels - 1) * stride + 3;
    if (DEPTHWISE_FAR_BYTES < INT64_MAX && t->all->far) { /* the first: other levels do without the code */
        depthwise_prefetch(depthwise_at(t->source + c, (3 - stride) * t->tap_line + width * t->tap), t->tap_line, t->tap,
                lines * stride, pixels * stride, 0);
        const float *result = t->all->result + t->result + c;
        if (to_taps) {
            depthwise_prefetch(
                    depthwise_at(result, pixels * t->all->pixel), t->all->line, t->all->pixel, lines, pixels, 0);
        } else if (stride == 1 && t->all->far_result) { /* lines to overwrite take longer to come */
            depthwise_prefetch(
                    depthwise_at(result, 2 * pixels * t->all->pixel), t->all->line, t->all->pixel, lines, pixels, 1);
        }
    }
    int64_t once = t->tap, thrice = 3 * once;
    DEPTHWISE_HIDE(once);
    DEPTHWISE_HIDE(thrice);
    const float *row = t->source + c;
#pragma GCC unroll 15
    for (int y = 0; y < (lines - 1) * stride + 3; y++, row = depthwise_next(row, t->tap_line)) {
        const float *base = row;
#pragma GCC unroll 3
        for (int from = 0; from < width; from += SOURCES_OF_BASE, base = depthwise_next(base, SOURCES_OF_BASE * once)) {
#pragma GCC unroll 5
            for (int x = from; x < (from + SOURCES_OF_BASE < width ? from + SOURCES_OF_BASE : width); x++) {
                const vec v = vec_load(depthwise_source(base, once, thrice, x - from));
                EACH_TAP(
                    const int q = (y - i) / stride; const int p = (x - j) / stride;
                    if (q * stride != y - i || q < 0 || q >= lines || p * stride != x - j || p < 0 || p >= pixels) {
                        continue;
                    }
                    if (to_taps) {
                        tap[i][j] = vec_fma(v, pixel[q][p], tap[i][j]);
                    } else {
                        pixel[q][p] = vec_fma(v, tap[i][j], pixel[q][p]);
                    })
            }
        }
    }
}

/* One function for each kind of window, number of lines and of pixels. B puts what is of one number of lines together. */
#define UP_TO_2(X, window, lines) X(window, lines, 1) X(window, lines, 2)
#define UP_TO_3(X, window, lines) UP_TO_2(X, window, lines) X(window, lines, 3)
#define UP_TO_6(X, window, lines) UP_TO_3(X, window, lines) X(window, lines, 4) X(window, lines, 5) X(window, lines, 6)
#if DEPTHWISE_LINES == 7
#define EACH_HEIGHT(X, B, window) \
    B(UP_TO_3(X, window, 1)) B(UP_TO_3(X, window, 2)) B(UP_TO_3(X, window, 3)) B(UP_TO_3(X, window, 4)) \
    B(UP_TO_3(X, window, 5)) B(UP_TO_3(X, window, 6)) B(UP_TO_3(X, window, 7))
#else
#define EACH_HEIGHT(X, B, window) B(UP_TO_6(X, window, 1)) B(UP_TO_3(X, window, 2)) B(UP_TO_2(X, window, 3))
#endif
#define PLAIN(...) __VA_ARGS__
#define BRACED(...) {__VA_ARGS__},
#define EACH_DEPTHWISE_TILE(X) EACH_HEIGHT(X, PLAIN, 0) EACH_HEIGHT(X, PLAIN, 1) EACH_HEIGHT(X, PLAIN, 2)
#define DEPTHWISE_TABLE(X) {{EACH_HEIGHT(X, BRACED, 0)}, {EACH_HEIGHT(X, BRACED, 1)}, {EACH_HEIGHT(X, BRACED, 2)}}
typedef depthwise_run_tile *const depthwise_tiles[DEPTHWISE_WINDOWS][DEPTHWISE_LINES][DEPTHWISE_PIXELS];

/* Taps [first, stop) of grid positions up to end. */
typedef struct {
    int64_t first, stop, end;
} depthwise_taps;

/* Of position q, and of those that follow and use the same. At a border it is alone. */
static inline depthwise_taps depthwise_taps_at(const conv2d_axis *x, int64_t q) {
    const int64_t at = q * x->stride + x->first;
    depthwise_taps t = {0, x->taps, q + 1};
    while (t.first < x->taps && at + t.first * x->step < 0) {
        t.first++;
    }
    while (t.stop > t.first && at + (t.stop - 1) * x->step >= x->source) {
        t.stop--;
    }
    if (x->taps == 0) {
        t.end = x->grid;
    } else if (t.first == 0 && t.stop == x->taps) {
        const int64_t room = x->source - 1 - x->first - (x->taps - 1) * x->step;
        t.end = tarn_min(x->grid, (x->stride == 1 ? room : room / x->stride) + 1);
    }
    return t;
}

/* Runs tiles for all pixels of grid lines [qy, end). tiles: [window][lines - 1][pixels - 1] */
static inline void depthwise_lines(const depthwise *d, int64_t qy, int64_t end, depthwise_tiles tiles) {
    const conv2d_axis *y = &d->gather->y, *x = &d->gather->x;
    const int64_t pitch = d->gather->pitch, source_line = x->source * pitch, weight_line = d->kw * pitch;
    depthwise_tile tile = {
        .all = d,
        .line = y->stride * source_line * FLOAT_BYTES,
        .pixel = x->stride * pitch * FLOAT_BYTES,
        .tap_line = y->step * source_line * FLOAT_BYTES,
        .tap = x->step * pitch * FLOAT_BYTES,
        .weight_line = y->weight_step * weight_line * FLOAT_BYTES,
        .weight_tap = x->weight_step * pitch * FLOAT_BYTES,
    };
    const int64_t window = x->step == 1 && y->step == 1 && x->stride == y->stride && x->stride < DEPTHWISE_WINDOWS
            ? x->stride : 0;
    for (int64_t lines; qy < end; qy += lines) {
        const depthwise_taps down = depthwise_taps_at(y, qy);
        lines = tarn_min(d->lines, tarn_min(down.end, end) - qy);
        const int64_t width = tarn_min(DEPTHWISE_PIXELS, DEPTHWISE_SUMS / lines);
        tile.rows = down.stop - down.first;
        const int64_t sy = qy * y->stride + y->first + down.first * y->step;
        for (int64_t qx = 0, pixels; qx < x->grid; qx += pixels) {
            const depthwise_taps across = depthwise_taps_at(x, qx);
            pixels = across.end - qx;
            if (pixels > width) {
                pixels = pixels < 2 * width ? (pixels + 1) / 2 : width;
            }
            tile.columns = across.stop - across.first;
            const int64_t sx = qx * x->stride + x->first + across.first * x->step;
            const int64_t weight_y = y->weight + down.first * y->weight_step;
            const int64_t weight_x = x->weight + across.first * x->weight_step;
            tile.source = d->source;
            tile.weight = d->weight;
            if (tile.rows > 0 && tile.columns > 0) { /* else there is nothing to point to */
                tile.source += sy * source_line + sx * pitch;
                tile.weight += weight_y * weight_line + weight_x * pitch;
            }
            tile.result = (qy * d->line + qx * d->pixel) / FLOAT_BYTES;
            const int whole = tile.rows == 3 && tile.columns == 3;
            tiles[whole ? window : 0][lines - 1][pixels - 1](&tile);
        }
    }
}

/*
 * The lines of a group, which is cut no further: those of a tile, or half of them where that makes too few groups. To cut the
 * channels instead lets processors write to neighbouring cache lines. The last group of an image may have fewer.
 */
static inline int64_t depthwise_group_lines(int64_t images, int64_t lines) {
    const int64_t groups = images * tarn_ceil_div(lines, DEPTHWISE_LINES);
    return groups < ENOUGH_TASKS / 2 ? (DEPTHWISE_LINES + 1) / 2 : DEPTHWISE_LINES;
}

typedef struct {
    int64_t groups;           /* blocks of groups of lines */
    int64_t channels;         /* blocks of channels */
} depthwise_blocks;

/*
 * Tasks: blocks of groups, and of channels where groups are few. Powers of two, so that portions of equally many tasks
 * are equally long whatever is left over.
 */
static inline depthwise_blocks depthwise_share(int64_t groups, int64_t channels) {
    depthwise_blocks b = {tarn_min(groups, 1), 1};
    while (2 * b.groups <= groups && groups > 0) {
        b.groups *= 2;
    }
    while (b.groups * b.channels < ENOUGH_TASKS / 2 && channels / (2 * b.channels) >= DEPTHWISE_CHANNELS) {
        b.channels *= 2;
    }
    return b;
}

/* Where block i of the channels begins. */
static inline int64_t depthwise_channel(int64_t channels, int64_t blocks, int64_t i) {
    return tarn_min(channels, tarn_cut(tarn_ceil_div(channels, LANES), blocks, i) * LANES);
}

#endif
