/*
 * Convolution as a gather. Forward, and the gradient of the input, are both: for each position of a grid, a sum over
 * taps, each of which reads one source pixel times one matrix of weights. One axis at a time:
 *
 *   forward    output position y reads input y*s - p + i*d through weight i, 0 <= i < k.
 *   gradient   input position y reads output (y + p - i*d) / s where that divides. Positions with the same remainder
 *              by s (a phase) use the same taps: every P-th one, P = s / gcd(s, d). So each phase is again a gather of
 *              stride 1, without a multiplication by the zeros between strides, and without scattered additions.
 *
 * im2row writes, for consecutive grid pixels, one row of all that the pixel reads: (taps, source channels), zero
 * outside.
 */
#ifndef TARN_IM2ROW_H
#define TARN_IM2ROW_H

#include <string.h>

#include "conv2d/conv2d.h"
#if defined(TARN_BUILD_AVX512) || defined(TARN_BUILD_AVX2) || defined(TARN_BUILD_NEON)
#include "simd/vec_element.h"
#endif

/*
 * One axis. Grid position q reads source position q*stride + first + t*step through weight weight + t*weight_step, t <
 * taps.
 */
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
    int64_t pitch;              /* of the source, in all groups: elements from pixel to pixel */
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
static inline int64_t conv2d_tap_period(int64_t stride, int64_t dilation) {
    return stride / tarn_gcd(stride, dilation);
}

/* The phase to which tap i belongs. */
static inline int64_t conv2d_tap_phase(int64_t i, int64_t stride, int64_t pad, int64_t dilation) {
    const int64_t r = (i * dilation - pad) % stride;
    return r < 0 ? r + stride : r;
}

/*
 * Taps in descending order of their index, which is ascending order of what they read. No tap: taps is 0, weight is -1.
 */
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

static inline conv2d_gather conv2d_gather_of(
        const tarn_conv2d_args *a, enum direction direction, int64_t phase_y, int64_t phase_x) {
    return direction == FORWARD ? conv2d_gather_forward(a) : conv2d_gather_phase(a, phase_y, phase_x);
}

/* A grid pixel. */
typedef struct {
    int64_t image, y, x;
} conv2d_position;

static inline conv2d_position conv2d_position_of(const conv2d_gather *g, int64_t pixel) {
    const int64_t line = pixel / g->x.grid;
    return (conv2d_position){line / g->y.grid, line % g->y.grid, pixel % g->x.grid};
}

static inline void conv2d_next_line(const conv2d_gather *g, conv2d_position *at) {
    at->x = 0;
    if (++at->y == g->y.grid) {
        at->y = 0;
        at->image++;
    }
}

static inline int64_t conv2d_depth(const conv2d_gather *g) { return g->y.taps * g->x.taps * g->channels; }

static inline int conv2d_axis_direct(const conv2d_axis *x) {
    return x->taps == 1 && x->stride == 1 && x->first == 0 && x->place_step == 1 && x->source == x->grid;
}

/* Rows so far apart would meet in few sets of L1: a multiple of 4 KiB in one of them. */
static inline int conv2d_crowded(int64_t pitch) { return pitch * (int64_t)sizeof(element) % 512 == 0; }

/* A distance between rows that spreads them over the sets of L1: the tiles read a line of many rows at a time. */
static inline int64_t conv2d_row_pitch(int64_t count) {
    const int64_t line = 64 / (int64_t)sizeof(element), pitch = tarn_ceil_div(count, line) * line;
    return conv2d_crowded(pitch) ? pitch + line : pitch;
}

/* The source serves as the rows: 1x1, stride 1, no padding, and no distance of 4 KiB between rows. */
static inline int conv2d_direct(const conv2d_gather *g) {
    return conv2d_axis_direct(&g->y) && conv2d_axis_direct(&g->x)
            && g->pitch * (int64_t)sizeof(element) % 4096;
}

/* lines runs of count elements. Runs are short: calls of memcpy and memset would cost more than they do. */
#if defined(TARN_BUILD_AVX512) || defined(TARN_BUILD_AVX2) || defined(TARN_BUILD_NEON)
static inline void conv2d_copy(element *to, int64_t to_pitch, const element *from, int64_t from_pitch, int64_t count,
        int64_t lines) {
    const int64_t whole = count / ELEMENTS * ELEMENTS, rest = count - whole;
    for (; whole == 0 && lines > 0; lines--, to += to_pitch, from += from_pitch) {
        elements_store_n(to, elements_load_n(from, rest), rest);
    }
    for (; lines > 0; lines--, to += to_pitch, from += from_pitch) {
        for (int64_t i = 0; i < whole; i += ELEMENTS) {
            elements_store(to + i, elements_load(from + i));
        }
        if (rest) {
            elements_store_n(to + whole, elements_load_n(from + whole, rest), rest);
        }
    }
}

static inline void conv2d_add(element *to, const element *from, int64_t count) {
    for (; count >= LANES; count -= LANES, to += LANES, from += LANES) {
        vec_put(to, vec_add(vec_get(to, LANES), vec_get(from, LANES)), LANES);
    }
    if (count > 0) {
        vec_put(to, vec_add(vec_get(to, count), vec_get(from, count)), count);
    }
}

static inline void conv2d_zero(element *to, int64_t count) {
    for (; count >= ELEMENTS; count -= ELEMENTS, to += ELEMENTS) {
        elements_store(to, elements_zero());
    }
    if (count > 0) {
        elements_store_n(to, elements_zero(), count);
    }
}
#else
static inline void conv2d_copy(element *to, int64_t to_pitch, const element *from, int64_t from_pitch, int64_t count,
        int64_t lines) {
    for (; lines > 0; lines--, to += to_pitch, from += from_pitch) {
        memcpy(to, from, (size_t)count * sizeof(element));
    }
}

static inline void conv2d_add(element *to, const element *from, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        to[i] += from[i];
    }
}

static inline void conv2d_zero(element *to, int64_t count) { memset(to, 0, (size_t)count * sizeof(element)); }
#endif

/* What the products are added to where they scatter: the other gradient, or zero. */
static inline void conv2d_begin_gradient(const tarn_conv2d_args *a, int64_t first, int64_t count) {
    element *to = (element *)a->grad_input + first;
    if (a->residual) {
        conv2d_copy(to, count, (const element *)a->residual + first, count, count, 1);
    } else {
        conv2d_zero(to, count);
    }
}

/* One tap, or one row of a window whose taps are neighbours in memory, for a line of grid pixels. */
typedef struct {
    const element *source; /* the source line, at the group's first channel; null: outside the image */
    int64_t width, pitch, channels;
    int64_t taps;          /* taps in a run */
    int64_t x, stride;     /* source position of the run's first tap at the first grid pixel, and from pixel to pixel */
    int64_t from, to;      /* the elements of the run that are wanted */
} conv2d_run;

/* The elements [*first, *stop) of the run that lie inside the image, for grid pixel i. */
static inline void conv2d_run_inside(const conv2d_run *r, int64_t i, int64_t *first, int64_t *stop) {
    const int64_t x = r->x + i * r->stride;
    *first = *stop = r->to;
    if (r->source && x > -r->taps && x < r->width) {
        *first = tarn_min(r->to, tarn_max(r->from, -x * r->channels));
        *stop = tarn_max(*first, tarn_min(r->to, (r->width - x) * r->channels));
    }
}

/* Pixels near the border: what lies outside is zero. */
static inline void conv2d_run_clipped(const conv2d_run *r, int64_t begin, int64_t end, element *row, int64_t row_pitch) {
    for (int64_t i = begin; i < end; i++) {
        int64_t first, stop;
        conv2d_run_inside(r, i, &first, &stop);
        element *out = row + i * row_pitch - r->from;
        conv2d_zero(out + r->from, r->to - r->from);
        if (first < stop) {
            conv2d_copy(out + first, 0, r->source + (r->x + i * r->stride) * r->pitch + first, 0, stop - first, 1);
        }
    }
}

static inline void conv2d_run_line(const conv2d_run *r, int64_t count, element *row, int64_t row_pitch) {
    /* pixels [inside, outside) read nothing beyond the image */
    int64_t inside = 0, outside = 0;
    if (r->source && r->width >= r->taps) {
        const int64_t room = r->width - r->taps - r->x;
        inside = r->x >= 0 ? 0 : r->stride == 1 ? -r->x : tarn_ceil_div(-r->x, r->stride);
        outside = room < 0 ? 0 : r->stride == 1 ? room + 1 : room / r->stride + 1;
        inside = tarn_min(count, inside);
        outside = tarn_max(inside, tarn_min(count, outside));
    }
    conv2d_run_clipped(r, 0, inside, row, row_pitch);
    if (inside < outside) {
        conv2d_copy(row + inside * row_pitch, row_pitch, r->source + (r->x + inside * r->stride) * r->pitch + r->from,
                r->stride * r->pitch, r->to - r->from, outside - inside);
    }
    conv2d_run_clipped(r, outside, count, row, row_pitch);
}

/* What im2row does with a line of grid pixels, col2im does backwards: row[i] is added to what the run reads. */
static inline void conv2d_run_scatter(const conv2d_run *r, int64_t count, const element *row, int64_t row_pitch) {
    for (int64_t i = 0; i < count; i++) {
        int64_t first, stop;
        conv2d_run_inside(r, i, &first, &stop);
        if (first < stop) {
            element *to = (element *)r->source + (r->x + i * r->stride) * r->pitch + first;
            conv2d_add(to, row + i * row_pitch + first - r->from, stop - first);
        }
    }
}

static inline __attribute__((always_inline)) void conv2d_rows(const conv2d_gather *g, const element *source,
        int64_t pixel,
        int64_t count, int64_t from, int64_t to, element *rows, int64_t row_pitch, const int scatter) {
    const conv2d_axis *y = &g->y, *x = &g->x;
    conv2d_run run = {.width = x->source, .pitch = g->pitch, .channels = g->channels, .stride = x->stride};
    run.taps = x->step == 1 && g->channels == g->pitch ? x->taps : 1;
    const int64_t length = run.taps * g->channels, runs = x->taps / tarn_max(run.taps, 1);
    /* Divisions stay outside of the loops: one costs as much as copying a dozen runs. */
    const int64_t first = from < to ? from / length : 0, first_y = from < to ? first / runs : 0;
    conv2d_position at = conv2d_position_of(g, pixel);
    for (int64_t done = 0, pixels; done < count; done += pixels, conv2d_next_line(g, &at)) {
        pixels = tarn_min(count - done, x->grid - at.x);
        int64_t ty = first_y, tx = first - first_y * runs;
        for (int64_t k = from; k < to; k += run.to - run.from) {
            run.from = k == from ? from - first * length : 0;
            const int64_t sy = at.y * y->stride + y->first + ty * y->step;
            run.to = tarn_min(length, run.from + to - k);
            run.x = at.x * x->stride + x->first + tx * x->step;
            run.source = sy < 0 || sy >= y->source ? NULL : source + (at.image * y->source + sy) * x->source * g->pitch;
            if (scatter) {
                conv2d_run_scatter(&run, pixels, rows + done * row_pitch + k - from, row_pitch);
            } else {
                conv2d_run_line(&run, pixels, rows + done * row_pitch + k - from, row_pitch);
            }
            if (++tx == runs) {
                tx = 0;
                ty++;
            }
        }
    }
}

/* Rows of grid pixels [pixel, pixel + count), counted through all images; of each row the elements [from, to). */
static inline void conv2d_im2row(const conv2d_gather *g, const element *source, int64_t pixel, int64_t count,
        int64_t from,
        int64_t to, element *rows, int64_t row_pitch) {
    conv2d_rows(g, source, pixel, count, from, to, rows, row_pitch, 0);
}

/* Adds rows to the pixels that im2row would have read them from. */
static inline void conv2d_row2im(
        const conv2d_gather *g, element *source, int64_t pixel, int64_t count, const element *rows, int64_t row_pitch) {
    conv2d_rows(g, source, pixel, count, 0, conv2d_depth(g), (element *)rows, row_pitch, 1);
}

#endif
