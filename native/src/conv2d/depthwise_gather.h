/* Depthwise convolution forward, and the gradient of its input. */
#ifndef TARN_DEPTHWISE_GATHER_H
#define TARN_DEPTHWISE_GATHER_H

#include "conv2d/depthwise.h"

/* n channels from c on. */
static inline __attribute__((always_inline)) void depthwise_gather_vector(
        const depthwise_tile *t, int64_t c, int64_t n, const int window, const int lines, const int pixels) {
    vec acc[DEPTHWISE_LINES][DEPTHWISE_PIXELS];
    EACH_PIXEL(acc[q][p] = vec_zero())
    const float *weight = t->weight + c;
    if (window) {
        vec w[3][3];
        EACH_TAP(w[i][j] = vec_load(depthwise_at(weight, i * t->weight_line + j * t->weight_tap)))
        depthwise_window(t, c, window, lines, pixels, acc, w, 0);
    }
    const float *source = t->source + c;
    for (int64_t i = 0; i < t->rows && !window; i++) {
        for (int64_t j = 0; j < t->columns; j++) {
            const vec w = vec_load_upto(depthwise_at(weight, i * t->weight_line + j * t->weight_tap), n);
            const float *tap = depthwise_at(source, i * t->tap_line + j * t->tap);
            EACH_PIXEL_AT(tap, t->line, t->pixel, acc[q][p] = vec_fma(vec_load_upto(at, n), w, acc[q][p]))
        }
    }
    /* One pass for each part of the epilogue, as in gemm.h. */
    const depthwise *all = t->all;
    const int64_t place = t->result + c;
    if (all->bias) {
        const vec bias = vec_load_upto(all->bias + c, n);
        EACH_PIXEL(acc[q][p] = vec_add(acc[q][p], bias))
    }
    if (all->residual) {
        EACH_PIXEL_AT(all->residual + place, all->line, all->pixel,
                acc[q][p] = vec_add(acc[q][p], vec_load_upto(at, n)))
    }
    if (all->activation.kind > TARN_RELU6) {
        vec sums[DEPTHWISE_LINES * DEPTHWISE_PIXELS];
        EACH_PIXEL(sums[q * pixels + p] = acc[q][p])
        vec_activate_each(all->activation, sums, lines * pixels);
        EACH_PIXEL(acc[q][p] = sums[q * pixels + p])
    } else if (all->activation.kind != TARN_IDENTITY) {
        EACH_PIXEL(acc[q][p] = vec_relu(acc[q][p]))
        if (all->activation.kind == TARN_RELU6) {
            EACH_PIXEL(acc[q][p] = vec_min6(acc[q][p]))
        }
    }
    const float *result = all->result + place;
    if (all->stream && n == LANES) {
        EACH_PIXEL_AT(result, all->line, all->pixel, vec_stream(at, acc[q][p]))
    } else {
        EACH_PIXEL_AT(result, all->line, all->pixel, vec_store_upto(at, acc[q][p], n))
    }
}

#define GATHER_TILE(window, lines, pixels) \
    static void depthwise_gather_##window##_##lines##_##pixels(const depthwise_tile *t) { \
        const int64_t channels = t->all->channels; \
        int64_t c = 0; \
        for (; c + LANES <= channels; c += LANES) { \
            depthwise_gather_vector(t, c, LANES, window, lines, pixels); \
        } \
        if (c < channels) { \
            depthwise_gather_vector(t, c, channels - c, 0, lines, pixels); \
        } \
    }
#define GATHER_ENTRY(window, lines, pixels) depthwise_gather_##window##_##lines##_##pixels,
EACH_DEPTHWISE_TILE(GATHER_TILE)
static depthwise_tiles depthwise_gather_tiles = DEPTHWISE_TABLE(GATHER_ENTRY);

#endif
