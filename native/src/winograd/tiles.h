/*
 * The tiles of Winograd convolution: where they lie, and what becomes of their input. Tiles of m x m pixels cover the
 * grid of each image; the (m+2)x(m+2) pixels that one reads overlap its neighbours', and are zero outside of the image.
 * Where as few tiles as can be would reach beyond the grid, the last ones are a pixel shorter: 14 pixels are 4+4+3+3.
 *
 * Products of one tile lie a plane apart. Each of the (m+2)^2 planes is the first operand of a matrix product, a row
 * for each tile and a column for each channel. The last point, infinity, is a part of a tile's last pixel alone: what is
 * shorter by a pixel needs no product of it. So that the tiles of any plane lie in one piece, they are counted by kind,
 * through all images: low ones, whole ones, narrow ones, and those that are both low and narrow.
 */
#ifndef TARN_WINOGRAD_TILES_H
#define TARN_WINOGRAD_TILES_H

#include "conv2d/im2row.h"
#include "winograd/transforms.h"

enum { WINOGRAD_LOW, WINOGRAD_WHOLE, WINOGRAD_NARROW, WINOGRAD_SMALL, WINOGRAD_KINDS };

typedef struct {
    conv2d_gather gather;           /* one tap a step, stride 1 */
    int64_t m, points;              /* pixels along an axis that a tile stands for, and that it reads */
    int64_t lines, whole_lines;     /* tiles along an axis of an image, of which those of m pixels come first */
    int64_t columns, whole_columns;
    int64_t stop[WINOGRAD_KINDS];   /* where a kind ends */
    int64_t count;                  /* of all images */
} winograd_tiles;

static inline int64_t winograd_whole(int64_t grid, int64_t m) {
    return tarn_max(0, grid - tarn_ceil_div(grid, m) * (m - 1));
}

/* Points of all tiles along an axis. */
static inline int64_t winograd_points_of(int64_t grid, int64_t m) {
    return tarn_ceil_div(grid, m) * (m + 1) + winograd_whole(grid, m);
}

/* Products of one image and a pair of channels. */
static inline int64_t winograd_products(int64_t h, int64_t w, int64_t m) {
    return winograd_points_of(h, m) * winograd_points_of(w, m);
}

/* m of the tiles with the fewest products; with as many the smaller ones, of which there is less to transform. */
static inline int64_t winograd_tile_size(int64_t h, int64_t w) {
    return winograd_products(h, w, 2) <= winograd_products(h, w, 4) ? 2 : 4;
}

static inline winograd_tiles winograd_tiles_of(const conv2d_gather *g, int64_t images, int64_t m) {
    winograd_tiles t = {.gather = *g, .m = m, .points = m + 2};
    t.lines = tarn_ceil_div(g->y.grid, m);
    t.whole_lines = winograd_whole(g->y.grid, m);
    t.columns = tarn_ceil_div(g->x.grid, m);
    t.whole_columns = winograd_whole(g->x.grid, m);
    t.stop[WINOGRAD_LOW] = images * (t.lines - t.whole_lines) * t.whole_columns;
    t.stop[WINOGRAD_WHOLE] = images * t.lines * t.whole_columns;
    t.stop[WINOGRAD_NARROW] = t.stop[WINOGRAD_WHOLE] + images * t.whole_lines * (t.columns - t.whole_columns);
    t.stop[WINOGRAD_SMALL] = t.count = images * t.lines * t.columns;
    return t;
}

/* A tile: its first grid pixel, and how many it stands for. */
typedef struct {
    int64_t image, y, x;
    int64_t height, width;
} winograd_tile;

static inline winograd_tile winograd_tile_at(const winograd_tiles *t, int64_t index) {
    int64_t kind = WINOGRAD_LOW;
    while (index >= t->stop[kind]) {
        kind++;
    }
    const int64_t low = kind == WINOGRAD_LOW || kind == WINOGRAD_SMALL, narrow = kind >= WINOGRAD_NARROW;
    const int64_t lines = low ? t->lines - t->whole_lines : t->whole_lines;
    const int64_t columns = narrow ? t->columns - t->whole_columns : t->whole_columns;
    index -= kind ? t->stop[kind - 1] : 0;
    const int64_t line = index / columns, y = line % lines, x = index % columns;
    winograd_tile tile = {.image = line / lines};
    tile.y = low ? t->whole_lines * t->m + y * (t->m - 1) : y * t->m;
    tile.x = narrow ? t->whole_columns * t->m + x * (t->m - 1) : x * t->m;
    tile.height = tarn_min(t->m - low, t->gather.y.grid - tile.y);
    tile.width = tarn_min(t->m - narrow, t->gather.x.grid - tile.x);
    return tile;
}

typedef struct {
    int64_t first, count;
} winograd_range;

/* Those of `count` tiles from `first` on that have a product in a plane, counted from `first`. */
static inline winograd_range winograd_plane(const winograd_tiles *t, int64_t plane, int64_t first, int64_t count) {
    const int64_t last = t->m + 1, whole = plane / (t->m + 2) == last, wide = plane % (t->m + 2) == last;
    const int64_t start = whole ? t->stop[WINOGRAD_LOW] : 0;
    const int64_t stop = t->stop[wide ? WINOGRAD_WHOLE : whole ? WINOGRAD_NARROW : WINOGRAD_SMALL];
    const int64_t from = tarn_min(tarn_max(0, start - first), count), to = tarn_min(stop - first, count);
    return (winograd_range){from, tarn_max(0, to - from)};
}

/*
 * Hides a distance from the optimiser, which would keep the addresses of all pixels and planes through a loop over the
 * channels: six dozen counters, most of them in memory.
 */
#define WINOGRAD_HIDE(x) __asm__ volatile("" : "+r"(x))

/*
 * What a tile reads: `first` is its first pixel and pixels lie at constant distances, or, where some lie outside of the
 * image, `pixel` has each, with zeros for those outside.
 */
typedef struct {
    int edge;
    const float *first;
    int64_t line, pitch; /* floats from line to line and from pixel to pixel */
    const float *pixel[WINOGRAD_POINTS * WINOGRAD_POINTS];
} winograd_source;

/* Pixels beyond so many lines and columns count as outside. zeros has as many floats as a pixel. */
static __attribute__((noinline)) void winograd_find_source(const winograd_tiles *t, const float *source, const float *zeros,
        const winograd_tile *at, int64_t lines, int64_t columns, winograd_source *s) {
    const conv2d_gather *g = &t->gather;
    const int64_t points = t->points, y = at->y + g->y.first, x = at->x + g->x.first;
    s->line = g->x.source * g->pitch;
    s->pitch = g->pitch;
    const float *image = source + at->image * g->y.source * s->line;
    lines = tarn_min(lines, g->y.source - y);
    columns = tarn_min(columns, g->x.source - x);
    s->edge = y < 0 || x < 0 || lines < points || columns < points;
    if (!s->edge) {
        s->first = image + y * s->line + x * s->pitch;
        return;
    }
    for (int64_t i = 0; i < points; i++) {
        for (int64_t j = 0; j < points; j++) {
            s->pixel[i * points + j] = y + i >= 0 && i < lines && x + j >= 0 && j < columns
                    ? image + (y + i) * s->line + (x + j) * s->pitch : zeros;
        }
    }
}

/* B^T d B of n <= LANES channels from c on. Whole vectors are written, and the places of the next are fetched. */
WINOGRAD_INLINE void winograd_input_vector(
        const int m, const int edge, const winograd_source *s, int64_t c, int64_t n, float *to, int64_t plane) {
    const int points = m + 2;
    int64_t line = s->line, pitch = s->pitch;
    WINOGRAD_HIDE(line);
    WINOGRAD_HIDE(pitch);
    WINOGRAD_HIDE(plane);
    vec x[WINOGRAD_POINTS], y[WINOGRAD_POINTS], half[WINOGRAD_POINTS][WINOGRAD_POINTS];
#pragma GCC unroll 6
    for (int j = 0; j < points; j++) {
#pragma GCC unroll 6
        for (int i = 0; i < points; i++) {
            const float *pixel = edge ? s->pixel[i * points + j] : s->first + i * line + j * pitch;
            x[i] = vec_load_upto(pixel + c, n);
        }
        winograd_input(m, x, y);
#pragma GCC unroll 6
        for (int i = 0; i < points; i++) {
            half[i][j] = y[i];
        }
    }
#pragma GCC unroll 6
    for (int i = 0; i < points; i++) {
        winograd_input(m, half[i], y);
#pragma GCC unroll 6
        for (int j = 0; j < points; j++) {
            vec_store(to + (i * points + j) * plane, y[j]);
            vec_prefetch_write(to + (i * points + j) * plane + LANES);
        }
    }
}

/* The transformed input of a tile, channels [c, stop), to its row of each plane. */
WINOGRAD_INLINE void winograd_input_tile(
        const int m, const winograd_source *s, int64_t c, int64_t stop, float *row, int64_t plane) {
    for (; c + LANES <= stop; c += LANES, row += LANES) {
        if (s->edge) {
            winograd_input_vector(m, 1, s, c, LANES, row, plane);
        } else {
            winograd_input_vector(m, 0, s, c, LANES, row, plane);
        }
    }
    if (c < stop) {
        if (s->edge) {
            winograd_input_vector(m, 1, s, c, stop - c, row, plane);
        } else {
            winograd_input_vector(m, 0, s, c, stop - c, row, plane);
        }
    }
}

/* Asks for cache lines ahead of their use. */
WINOGRAD_INLINE void winograd_prefetch(const float *p, int64_t count, const int write) {
    for (int64_t i = 0; i < count; i += 64 / (int64_t)sizeof(float)) {
        if (write) {
            vec_prefetch_write((float *)p + i);
        } else {
            vec_prefetch_far(p + i);
        }
    }
}

/* Input of tiles [first, stop), without most of what they share with their neighbours. */
static inline void winograd_prefetch_input(const winograd_tiles *t, const float *source, int64_t first, int64_t stop) {
    const conv2d_axis *gy = &t->gather.y, *gx = &t->gather.x;
    for (; first < stop; first++) {
        const winograd_tile at = winograd_tile_at(t, first);
        const int64_t x = tarn_max(0, at.x + gx->first + 1), pixels = tarn_min(at.width, gx->source - x);
        for (int64_t y = at.y + gy->first + 1; y <= at.y + gy->first + at.height; y++) {
            if (y >= 0 && y < gy->source) {
                winograd_prefetch(source + ((at.image * gy->source + y) * gx->source + x) * t->gather.pitch,
                        pixels * t->gather.pitch, 0);
            }
        }
    }
}

/* Output of tiles [first, stop), of channels [channel, channel + count) of pitch. */
static inline void winograd_prefetch_output(const winograd_tiles *t, const float *output, int64_t pitch,
        int64_t channel, int64_t count, int64_t first, int64_t stop) {
    for (; first < stop; first++) {
        const winograd_tile at = winograd_tile_at(t, first);
        for (int64_t y = at.y; y < at.y + at.height; y++) {
            for (int64_t x = at.x; x < at.x + at.width; x++) {
                winograd_prefetch(output + ((at.image * t->gather.y.grid + y) * t->gather.x.grid + x) * pitch + channel,
                        count, 1);
            }
        }
    }
}

#endif
