/*
 * The tiles of Winograd convolution: where they lie, and what becomes of their input. Tiles of m x m pixels cover the
 * grid of each image, and may reach beyond its lower and right edge; the (m+2)x(m+2) pixels that one reads overlap its
 * neighbours', and are zero outside of the image.
 *
 * Products of one tile lie a plane apart. Each of the (m+2)^2 planes is the first operand of a matrix product, a row
 * for each tile and a column for each channel.
 */
#ifndef TARN_WINOGRAD_TILES_H
#define TARN_WINOGRAD_TILES_H

#include "conv2d/im2row.h"
#include "winograd/transforms.h"

typedef struct {
    conv2d_gather gather;   /* one tap a step, stride 1 */
    int64_t m, points;      /* pixels along an axis that a tile stands for, and that it reads */
    int64_t lines, columns; /* tiles of an image */
    int64_t count;          /* of all images */
} winograd_tiles;

static inline winograd_tiles winograd_tiles_of(const conv2d_gather *g, int64_t images, int64_t m) {
    const int64_t lines = tarn_ceil_div(g->y.grid, m), columns = tarn_ceil_div(g->x.grid, m);
    return (winograd_tiles){*g, m, m + 2, lines, columns, images * lines * columns};
}

/* The grid pixel at which a tile begins; tiles are counted through lines and images. */
static inline conv2d_position winograd_tile(const winograd_tiles *t, int64_t tile) {
    const int64_t line = tile / t->columns;
    return (conv2d_position){line / t->lines, line % t->lines * t->m, tile % t->columns * t->m};
}

static inline void winograd_next_tile(const winograd_tiles *t, conv2d_position *at) {
    at->x += t->m;
    if (at->x >= t->gather.x.grid) {
        at->x = 0;
        at->y += t->m;
        if (at->y >= t->gather.y.grid) {
            at->y = 0;
            at->image++;
        }
    }
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

/* zeros has as many floats as a pixel. */
static __attribute__((noinline)) void winograd_find_source(const winograd_tiles *t, const float *source, const float *zeros,
        const conv2d_position *at, winograd_source *s) {
    const conv2d_gather *g = &t->gather;
    const int64_t points = t->points, y = at->y + g->y.first, x = at->x + g->x.first;
    s->line = g->x.source * g->pitch;
    s->pitch = g->pitch;
    const float *image = source + at->image * g->y.source * s->line;
    s->edge = y < 0 || x < 0 || y > g->y.source - points || x > g->x.source - points;
    if (!s->edge) {
        s->first = image + y * s->line + x * s->pitch;
        return;
    }
    for (int64_t i = 0; i < points; i++) {
        const int inside = y + i >= 0 && y + i < g->y.source;
        for (int64_t j = 0; j < points; j++) {
            s->pixel[i * points + j] = inside && x + j >= 0 && x + j < g->x.source
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

/*
 * Asks for cache lines ahead of their use. The compiler would turn a prefetch for writing into one for reading, which
 * asks the other cores for the line once more when it is written; processors without it take it for no operation.
 */
WINOGRAD_INLINE void winograd_prefetch(const float *p, int64_t count, const int write) {
    for (int64_t i = 0; i < count; i += 64 / (int64_t)sizeof(float)) {
        if (write) {
            __asm__ volatile("prefetchw %0" : : "m"(p[i]));
        } else {
            __asm__ volatile("prefetcht1 %0" : : "m"(p[i]));
        }
    }
}

/* Input of tiles [first, stop) that no tile before them reads. */
static inline void winograd_prefetch_input(const winograd_tiles *t, const float *source, int64_t first, int64_t stop) {
    const conv2d_axis *gy = &t->gather.y, *gx = &t->gather.x;
    conv2d_position at = winograd_tile(t, first);
    for (; first < stop; first++, winograd_next_tile(t, &at)) {
        const int64_t x = tarn_max(0, at.x + gx->first + 1), pixels = tarn_min(t->m, gx->source - x);
        for (int64_t y = at.y + gy->first + 1; y <= at.y + gy->first + t->m; y++) {
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
    const conv2d_axis *gy = &t->gather.y, *gx = &t->gather.x;
    conv2d_position at = winograd_tile(t, first);
    for (; first < stop; first++, winograd_next_tile(t, &at)) {
        for (int64_t y = at.y; y < tarn_min(at.y + t->m, gy->grid); y++) {
            for (int64_t x = at.x; x < tarn_min(at.x + t->m, gx->grid); x++) {
                winograd_prefetch(output + ((at.image * gy->grid + y) * gx->grid + x) * pitch + channel, count, 1);
            }
        }
    }
}

#endif
