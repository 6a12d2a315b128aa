/*
 * A gather of wide lines needs no row for each pixel: once source lines are copied with their padding, what a pixel
 * reads through one line of its window is a run of them, and runs of neighbouring pixels begin a constant distance
 * apart. A matrix product reads them in place, one run after the other.
 */
#ifndef TARN_PADDED_LINES_H
#define TARN_PADDED_LINES_H

#include "conv2d/im2row.h"
#include "cpu/blocks.h"

typedef struct {
    int64_t run;              /* floats that a pixel reads through one line of its window */
    int64_t pitch;            /* floats of a padded line */
    int64_t rows, piece;      /* a step of the product: so many lines of the window, of each so much of its run */
} padded_lines;

/* Pixels of a padded line. */
static inline int64_t padded_lines_pixels(const conv2d_gather *g) {
    return (g->x.grid - 1) * g->x.stride + g->x.taps;
}

/* Source lines that so many grid lines read. */
static inline int64_t padded_lines_read(const conv2d_gather *g, int64_t lines) {
    return (lines - 1) * g->y.stride + (g->y.taps - 1) * g->y.step + 1;
}

/* Pixels of a window that lie side by side, and what one grid line reads has to stay in cache. */
static inline int padded_lines_fit(const conv2d_gather *g) {
    const int64_t floats = TARN_PRODUCT(padded_lines_pixels(g), g->channels, padded_lines_read(g, 1));
    return g->channels == g->pitch && g->x.step == 1 && floats > 0 && floats <= BLOCK_BYTES / (int64_t)sizeof(float);
}

static inline padded_lines padded_lines_of(const conv2d_gather *g) {
    padded_lines l = {.run = g->x.taps * g->channels};
    l.pitch = conv2d_row_pitch(padded_lines_pixels(g) * g->channels);
    l.piece = tarn_ceil_div(l.run, tarn_ceil_div(l.run, DEPTH));
    const int64_t steps = tarn_ceil_div(g->y.taps, tarn_max(1, DEPTH / l.run));
    l.rows = tarn_ceil_div(g->y.taps, steps);
    return l;
}

/* Copies what grid lines [y, y + lines) of an image read, zero outside of it. */
static inline void padded_lines_copy(
        const conv2d_gather *g, const padded_lines *l, const float *image, int64_t y, int64_t lines, float *to) {
    const int64_t pixels = padded_lines_pixels(g);
    const int64_t first = tarn_min(pixels, tarn_max(0, -g->x.first));
    const int64_t stop = tarn_max(first, tarn_min(pixels, g->x.source - g->x.first));
    const int64_t top = y * g->y.stride + g->y.first;
    for (int64_t i = 0; i < padded_lines_read(g, lines); i++, to += l->pitch) {
        const int64_t sy = top + i;
        if (sy < 0 || sy >= g->y.source || first == stop) {
            conv2d_zero(to, pixels * g->channels);
            continue;
        }
        const float *from = image + (sy * g->x.source + g->x.first + first) * g->channels;
        conv2d_zero(to, first * g->channels);
        conv2d_copy(to + first * g->channels, 0, from, 0, (stop - first) * g->channels, 1);
        conv2d_zero(to + stop * g->channels, (pixels - stop) * g->channels);
    }
}

#endif
