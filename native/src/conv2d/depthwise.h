/*
 * Depthwise convolution: each channel has its own window, so there is no matrix product; vectors run over the channels.
 * The gradient of the input is the same gather as forward (im2row.h), with other axes.
 */
#ifndef TARN_DEPTHWISE_H
#define TARN_DEPTHWISE_H

#include "conv2d/im2row.h"
#include "gemm/gemm.h"

/* Vectors of channels that go through the taps together: enough independent sums to hide the latency of an addition. */
#define WIDE 4

typedef struct {
    const conv2d_gather *gather;
    const float *source;      /* image */
    const float *weight;      /* (kh, kw, channels) */
    int64_t kw, channels;
    float *destination;
    gemm_epilogue epilogue;
} depthwise;

/* Taps [*first, *stop) of a grid position that read inside the source. */
static inline void depthwise_taps(const conv2d_axis *x, int64_t q, int64_t *first, int64_t *stop) {
    const int64_t at = q * x->stride + x->first;
    for (*first = 0; *first < x->taps && at + *first * x->step < 0; ++*first) {
    }
    for (*stop = x->taps; *stop > *first && at + (*stop - 1) * x->step >= x->source; --*stop) {
    }
}

/* One grid pixel, vectors from channel c on; the last one has tail lanes. at: where in the destination, in floats. */
static inline __attribute__((always_inline)) void depthwise_pixel(const depthwise *d, int64_t qy, int64_t qx,
        const int64_t *taps,
        int64_t c, int64_t at, const int vectors, int64_t tail) {
    const conv2d_axis *y = &d->gather->y, *x = &d->gather->x;
    const int64_t sy = qy * y->stride + y->first, sx = qx * x->stride + x->first;
    vec acc[WIDE];
    for (int v = 0; v < vectors; v++) {
        acc[v] = vec_zero();
    }
    for (int64_t i = taps[0]; i < taps[1]; i++) {
        const float *line = d->source + (sy + i * y->step) * x->source * d->channels + c;
        const float *weight = d->weight + (y->weight + i * y->weight_step) * d->kw * d->channels + c;
        for (int64_t j = taps[2]; j < taps[3]; j++) {
            const float *s = line + (sx + j * x->step) * d->channels;
            const float *w = weight + (x->weight + j * x->weight_step) * d->channels;
            for (int v = 0; v < vectors; v++, s += LANES, w += LANES) {
                acc[v] = vec_fma(gemm_load(s, tail), gemm_load(w, tail), acc[v]);
            }
        }
    }
    for (int v = 0; v < vectors; v++, c += LANES) {
        vec sum = acc[v];
        sum = d->epilogue.bias ? vec_add(sum, gemm_load(d->epilogue.bias + c, tail)) : sum;
        sum = d->epilogue.residual ? vec_add(sum, gemm_load(d->epilogue.residual + at + c, tail)) : sum;
        gemm_store(d->destination + at + c, vec_activate(d->epilogue.activation, sum), tail);
    }
}

/* Grid line qy, of which pixel qx goes to the destination at at + qx * at_step. */
static inline void depthwise_line(const depthwise *d, int64_t qy, int64_t at, int64_t at_step) {
    int64_t taps[4];
    depthwise_taps(&d->gather->y, qy, &taps[0], &taps[1]);
    for (int64_t qx = 0; qx < d->gather->x.grid; qx++, at += at_step) {
        depthwise_taps(&d->gather->x, qx, &taps[2], &taps[3]);
        int64_t c = 0;
        for (; c + WIDE * LANES <= d->channels; c += WIDE * LANES) {
            depthwise_pixel(d, qy, qx, taps, c, at, WIDE, LANES);
        }
        for (; c + LANES <= d->channels; c += LANES) {
            depthwise_pixel(d, qy, qx, taps, c, at, 1, LANES);
        }
        if (c < d->channels) {
            depthwise_pixel(d, qy, qx, taps, c, at, 1, d->channels - c);
        }
    }
}

/* One tap of the gradient of the weights: sum += source * grad_output over count pixels of a line. */
static inline __attribute__((always_inline)) void depthwise_dot(float *sum, const float *source, int64_t source_step,
        const float *grad_output, int64_t channels, int64_t count, const int vectors, int64_t tail) {
    vec acc[WIDE];
    for (int v = 0; v < vectors; v++) {
        acc[v] = gemm_load(sum + v * LANES, tail);
    }
    for (; count > 0; count--, source += source_step, grad_output += channels) {
        for (int v = 0; v < vectors; v++) {
            acc[v] = vec_fma(gemm_load(source + v * LANES, tail), gemm_load(grad_output + v * LANES, tail), acc[v]);
        }
    }
    for (int v = 0; v < vectors; v++) {
        gemm_store(sum + v * LANES, acc[v], tail);
    }
}

/* Adds to sum (kh, kw, channels) what one line of output pixels contributes. source: its image. */
static inline void depthwise_weight_line(
        const conv2d_gather *g, int64_t channels, const float *source, const float *grad_output, int64_t qy,
                float *sum) {
    const conv2d_axis *y = &g->y, *x = &g->x;
    for (int64_t c = 0, vectors; c < channels; c += vectors * LANES) {
        vectors = c + WIDE * LANES <= channels ? WIDE : 1;
        for (int64_t tap = 0; tap < y->taps * x->taps; tap++) {
            const int64_t sy = qy * y->stride + y->first + tap / x->taps * y->step;
            const int64_t sx = x->first + tap % x->taps * x->step; /* at output pixel 0 */
            const int64_t first = sx < 0 ? tarn_ceil_div(-sx, x->stride) : 0;
            const int64_t stop = sx < x->source ? tarn_min(x->grid, (x->source - 1 - sx) / x->stride + 1) : 0;
            if (sy < 0 || sy >= y->source || first >= stop) {
                continue;
            }
            float *to = sum + tap * channels + c;
            const float *from = source + (sy * x->source + sx + first * x->stride) * channels + c;
            const float *grad = grad_output + first * channels + c;
            if (vectors == WIDE) {
                depthwise_dot(to, from, x->stride * channels, grad, channels, stop - first, WIDE, LANES);
            } else {
                const int64_t tail = tarn_min(LANES, channels - c);
                depthwise_dot(to, from, x->stride * channels, grad, channels, stop - first, 1, tail);
            }
        }
    }
}

#endif
