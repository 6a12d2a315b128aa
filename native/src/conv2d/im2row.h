/*
 * Convolution as a gather. Forward, and the gradient of the input, are both: for each position of a grid, a sum over taps, each
 * of which reads one source pixel times one matrix of weights. One axis at a time:
 *
 *   forward    output position y reads input y*s - p + i*d through weight i, 0 <= i < k.
 *   gradient   input position y reads output (y + p - i*d) / s where that divides. Positions with the same remainder by s (a
 *              phase) use the same taps: every P-th one, P = s / gcd(s, d). So each phase is again a gather of stride 1, without
 *              a multiplication by the zeros between strides, and without scattered additions.
 *
 * im2row writes, for consecutive grid pixels, one row of all that the pixel reads: (taps, source channels), zero outside.
 */
#ifndef TARN_IM2ROW_H
#define TARN_IM2ROW_H

#include <string.h>

#include "conv2d/conv2d.h"
#if defined(TARN_BUILD_AVX512) || defined(TARN_BUILD_AVX2)
#include "simd/vec.h"
#endif

/* One axis. Grid position q reads source position q*stride + first + t*step through weight weight + t*weight_step, t < taps. */
typedef struct {
    int64_t source;             /* extent of the source */
    int64_t grid;               /* positions */
    int64_t stride, first, step;
    int64_t taps, weight, weight_step;
    int64_t place, place_step;  /* grid position q is position place + q*place_step of the destination */
} conv2d_axis;

typedef struct {
    conv2d_axis y, x;
    int64_t channels;           /* of the source, in one group */
    int64_t pitch;              /* of the source, in all groups: floats from pixel to pixel */
} conv2d_gather;

static inline int64_t tarn_gcd(int64_t a, int64_t b) {
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

static inline conv2d_axis conv2d_axis_forward(
        int64_t in, int64_t out, int64_t k, int64_t stride, int64_t pad, int64_t dilation) {
    return (conv2d_axis){in, out, stride, -pad, dilation, k, 0, 1, 0, 1};
}

/* Taps that meet in one phase lie this far apart. */
static inline int64_t conv2d_tap_period(int64_t stride, int64_t dilation) { return stride / tarn_gcd(stride, dilation); }

/* The phase to which tap i belongs. */
static inline int64_t conv2d_tap_phase(int64_t i, int64_t stride, int64_t pad, int64_t dilation) {
    const int64_t r = (i * dilation - pad) % stride;
    return r < 0 ? r + stride : r;
}

/* Taps in descending order of their index, which is ascending order of what they read. No tap: taps is 0, weight is -1. */
static inline conv2d_axis conv2d_axis_phase(
        int64_t in, int64_t out, int64_t k, int64_t stride, int64_t pad, int64_t dilation, int64_t phase) {
    const int64_t period = conv2d_tap_period(stride, dilation);
    conv2d_axis axis = {out, in > phase ? tarn_ceil_div(in - phase, stride) : 0, 1, 0, 0, 0, -1, 0, phase, stride};
    for (int64_t i = 0; i < tarn_min(period, k); i++) {
        if (conv2d_tap_phase(i, stride, pad, dilation) == phase) {
            axis.taps = tarn_ceil_div(k - i, period);
            axis.weight = i + (axis.taps - 1) * period;
            axis.weight_step = -period;
            axis.first = (phase + pad - axis.weight * dilation) / stride;
            axis.step = period * dilation / stride;
        }
    }
    return axis;
}

static inline conv2d_gather conv2d_gather_forward(const tarn_conv2d_args *a) {
    return (conv2d_gather){conv2d_axis_forward(a->h, a->oh, a->kh, a->sh, a->pt, a->dh),
            conv2d_axis_forward(a->w, a->ow, a->kw, a->sw, a->pl, a->dw), a->ic / a->groups, a->ic};
}

static inline conv2d_gather conv2d_gather_phase(const tarn_conv2d_args *a, int64_t phase_y, int64_t phase_x) {
    return (conv2d_gather){conv2d_axis_phase(a->h, a->oh, a->kh, a->sh, a->pt, a->dh, phase_y),
            conv2d_axis_phase(a->w, a->ow, a->kw, a->sw, a->pl, a->dw, phase_x), a->oc / a->groups, a->oc};
}

static inline int64_t conv2d_depth(const conv2d_gather *g) { return g->y.taps * g->x.taps * g->channels; }

static inline int conv2d_axis_direct(const conv2d_axis *x) {
    return x->taps == 1 && x->stride == 1 && x->first == 0 && x->place_step == 1 && x->source == x->grid;
}

/*
 * A distance between rows that spreads them over the sets of L1: rows a multiple of 4 KiB apart would all fall into one, and
 * the tiles read a line of many rows at a time.
 */
static inline int64_t conv2d_row_pitch(int64_t floats) {
    const int64_t pitch = tarn_ceil_div(floats, 16) * 16;
    return pitch % 128 ? pitch : pitch + 16;
}

/* The source serves as the rows: 1x1, stride 1, no padding, and no distance of 4 KiB between rows. */
static inline int conv2d_direct(const conv2d_gather *g) {
    return conv2d_axis_direct(&g->y) && conv2d_axis_direct(&g->x) && g->pitch % 1024;
}

#if defined(TARN_BUILD_AVX512) || defined(TARN_BUILD_AVX2)
static inline void conv2d_copy(float *to, const float *from, int64_t count) {
    for (; count >= LANES; count -= LANES, to += LANES, from += LANES) {
        vec_store(to, vec_load(from));
    }
    if (count > 0) {
        vec_store_n(to, vec_load_n(from, count), count);
    }
}
#else
static inline void conv2d_copy(float *to, const float *from, int64_t count) { memcpy(to, from, (size_t)count * sizeof(float)); }
#endif

/* One tap, or one row of a window whose taps are neighbours in memory, for a line of grid pixels. */
typedef struct {
    const float *source;   /* the source line, at the group's first channel; null: outside the image */
    int64_t width, pitch, channels;
    int64_t taps;          /* taps in a run */
    int64_t x, stride;     /* source position of the run's first tap at the first grid pixel, and from pixel to pixel */
    int64_t from, to;      /* the floats of the run that are wanted */
} conv2d_run;

/* Pixels near the border: what lies outside is zero. */
static inline void conv2d_run_clipped(const conv2d_run *r, int64_t begin, int64_t end, float *row, int64_t row_pitch) {
    for (int64_t i = begin; i < end; i++) {
        const int64_t x = r->x + i * r->stride, from = r->from, to = r->to;
        int64_t first = to, stop = to;
        if (r->source && x > -r->taps && x < r->width) {
            first = tarn_min(to, tarn_max(from, -x * r->channels));
            stop = tarn_max(first, tarn_min(to, (r->width - x) * r->channels));
        }
        float *out = row + i * row_pitch;
        memset(out, 0, (size_t)(first - from) * sizeof(float));
        if (first < stop) {
            conv2d_copy(out + first - from, r->source + x * r->pitch + first, stop - first);
        }
        memset(out + stop - from, 0, (size_t)(to - stop) * sizeof(float));
    }
}

static inline void conv2d_run_line(const conv2d_run *r, int64_t count, float *row, int64_t row_pitch) {
    /* pixels [inside, outside) read nothing beyond the image */
    int64_t inside = 0, outside = 0;
    if (r->source && r->width >= r->taps) {
        inside = tarn_min(count, r->x < 0 ? tarn_ceil_div(-r->x, r->stride) : 0);
        outside = r->x > r->width - r->taps ? 0 : (r->width - r->taps - r->x) / r->stride + 1;
        outside = tarn_max(inside, tarn_min(count, outside));
    }
    conv2d_run_clipped(r, 0, inside, row, row_pitch);
    const int64_t length = r->to - r->from, step = r->stride * r->pitch;
    for (int64_t i = inside; i < outside; i++) {
        conv2d_copy(row + i * row_pitch, r->source + r->x * r->pitch + r->from + i * step, length);
    }
    conv2d_run_clipped(r, outside, count, row, row_pitch);
}

/* Rows of grid pixels [pixel, pixel + count), counted through all images; of each row the floats [from, to). */
static inline void conv2d_im2row(const conv2d_gather *g, const float *source, int64_t pixel, int64_t count, int64_t from,
        int64_t to, float *rows, int64_t row_pitch) {
    const conv2d_axis *y = &g->y, *x = &g->x;
    conv2d_run run = {.width = x->source, .pitch = g->pitch, .channels = g->channels, .stride = x->stride};
    run.taps = x->step == 1 && g->channels == g->pitch ? x->taps : 1;
    const int64_t length = run.taps * g->channels, runs = x->taps / tarn_max(run.taps, 1);
    for (int64_t done = 0; done < count;) {
        const int64_t line = (pixel + done) / x->grid, qx = (pixel + done) % x->grid;
        const int64_t image = line / y->grid, qy = line % y->grid, pixels = tarn_min(count - done, x->grid - qx);
        for (int64_t k = from; k < to; k += run.to - run.from) {
            const int64_t index = k / length, sy = qy * y->stride + y->first + index / runs * y->step;
            run.from = k - index * length;
            run.to = tarn_min(length, to - index * length);
            run.x = qx * x->stride + x->first + index % runs * x->step;
            run.source = sy < 0 || sy >= y->source ? NULL : source + (image * y->source + sy) * x->source * g->pitch;
            conv2d_run_line(&run, pixels, rows + done * row_pitch + k - from, row_pitch);
        }
        done += pixels;
    }
}

#endif
