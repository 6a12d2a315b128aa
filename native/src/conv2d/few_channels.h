/*
 * Convolution where input and output have few channels: the first layers of small networks. As a matrix product such a
 * layer leaves most lanes of its columns empty, and spends longer on im2row than on products. Here vectors run over
 * neighbouring output pixels of a line instead. Input lines are copied into scratch once, one channel after the other
 * and with their padding, so that every tap is one unaligned load for all output channels. Only for sw == dw == 1,
 * where neighbouring outputs read neighbouring inputs.
 */
#ifndef TARN_FEW_CHANNELS_H
#define TARN_FEW_CHANNELS_H

#include "conv2d/im2row.h"
#include "cpu/blocks.h"
#include "simd/vec_transpose.h"

#define MAX_TAPS 128    /* kh * kw * ic */
#define MAX_INPUTS 4    /* copying one channel after the other is scalar where there are more than one */
#define MAX_OUTPUTS 8   /* more fill the lanes of a matrix product well enough */
#define MAX_STEP 4      /* of stride and dilation between lines: lines in between are copied in vain */
#define TILE 6          /* output channels in a tile */

/* A unit is a vector of output pixels of one line. A visit is some output lines of one image and what they read. */
typedef struct {
    int64_t taps;
    int64_t line;               /* floats from a line of one channel of the copied input to that of the next */
    int64_t units, tail;        /* of a line of output; pixels of its last unit */
    int64_t lines, visits;      /* output lines in a visit, visits for an image */
    int64_t source;             /* floats of copied input */
    int64_t chunks;             /* backward weight: private sums, each of a range of all output lines */
    int64_t offset[MAX_TAPS];   /* from the first input pixel of an output line to that of each tap */
} layout;

static inline int64_t source_lines(const tarn_conv2d_args *a, int64_t lines) {
    return (lines - 1) * a->sh + (a->kh - 1) * a->dh + 1;
}

static inline layout layout_of(const tarn_conv2d_args *a) {
    layout l = {.taps = a->kh * a->kw * a->ic, .units = tarn_ceil_div(a->ow, LANES)};
    l.tail = a->ow - (l.units - 1) * LANES;
    l.line = tarn_ceil_div(l.units * LANES + a->kw - 1, LANES) * LANES;
    const int64_t bytes = (a->sh * a->ic * l.line + l.units * LANES * a->oc) * (int64_t)sizeof(float);
    l.visits = tarn_ceil_div(a->oh, tarn_max(1, FEW_BYTES / bytes));
    l.lines = tarn_ceil_div(a->oh, l.visits);
    l.visits = tarn_ceil_div(a->oh, l.lines);
    l.source = source_lines(a, l.lines) * a->ic * l.line;
    l.chunks = tarn_max(1, tarn_min(ENOUGH_TASKS, a->n * a->oh * l.units / FEW_VECTORS));
    return l;
}

static inline void find_taps(const tarn_conv2d_args *a, layout *l) {
    int64_t *offset = l->offset;
    for (int64_t i = 0; i < a->kh; i++) {
        for (int64_t j = 0; j < a->kw; j++) {
            for (int64_t c = 0; c < a->ic; c++) {
                *offset++ = (i * a->dh * a->ic + c) * l->line + j;
            }
        }
    }
}

/* Sizes are valid. Narrow lines would leave lanes empty, and lines of one visit have to stay in near cache. */
static inline int accepts(const tarn_conv2d_args *a) {
    return a->groups == 1 && a->sw == 1 && a->dw == 1 && a->sh <= MAX_STEP && a->dh <= MAX_STEP
            && a->ic <= MAX_INPUTS && a->oc <= MAX_OUTPUTS && a->kh * a->kw > 1 && a->kh * a->kw * a->ic <= MAX_TAPS
            && 2 * a->ow >= LANES && a->ow <= BLOCK_BYTES
            && layout_of(a).source * (int64_t)sizeof(float) <= BLOCK_BYTES;
}

/* Copies the input of `lines` output lines from line y on: (line, channel, pixel), zero outside of the image. */
static inline void copy_input(
        const tarn_conv2d_args *a, const layout *l, int64_t image, int64_t y, int64_t lines, float *to) {
    const int64_t first = tarn_min(a->pl, l->line), stop = tarn_min(a->pl + a->w, a->ow + a->kw - 1);
    const int64_t first_line = y * a->sh - a->pt;
    for (int64_t i = 0; i < source_lines(a, lines); i++, to += a->ic * l->line) {
        conv2d_zero(to, a->ic * l->line);
        const int64_t iy = first_line + i;
        if (iy < 0 || iy >= a->h || first >= stop) {
            continue;
        }
        const float *from = (const float *)a->input + (image * a->h + iy) * a->w * a->ic;
        if (a->ic == 1) {
            conv2d_copy(to + first, 0, from, 0, stop - first, 1);
            continue;
        }
        for (int64_t c = 0; c < a->ic; c++) {
            for (int64_t x = first; x < stop; x++) {
                to[c * l->line + x] = from[(x - first) * a->ic + c];
            }
        }
    }
}

/* Channels [first, return value) of all go into one tile; tiles differ by one channel at most. */
static inline int64_t tile_end(int64_t channels, int64_t first) {
    const int64_t tiles = tarn_ceil_div(channels - first, TILE);
    return first + (channels - first) / tiles;
}

/* One function for each number of output channels in a tile. */
#define EACH_TILE(X) X(1) X(2) X(3) X(4) X(5) X(6)

#endif
