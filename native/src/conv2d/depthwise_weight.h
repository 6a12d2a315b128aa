/* Depthwise convolution, gradient of the weights: `weight` is the sum, `result` the gradient of the output. */
#ifndef TARN_DEPTHWISE_WEIGHT_H
#define TARN_DEPTHWISE_WEIGHT_H

#include "conv2d/depthwise.h"

/* n channels from c on. */
static inline __attribute__((always_inline)) void depthwise_weight_vector(
        const depthwise_tile *t, int64_t c, int64_t n, const int window, const int lines, const int pixels) {
    const depthwise *all = t->all;
    const float *result = all->result + t->result + c;
    vec grad[DEPTHWISE_LINES][DEPTHWISE_PIXELS];
    EACH_PIXEL_AT(result, all->line, all->pixel, grad[q][p] = vec_load_upto(at, n))
    float *weight = t->weight + c;
    if (window) {
        vec sum[3][3];
        EACH_TAP(sum[i][j] = vec_load(depthwise_at(weight, i * t->weight_line + j * t->weight_tap)))
        depthwise_window(t, c, window, lines, pixels, grad, sum, 1);
        EACH_TAP(vec_store(depthwise_at(weight, i * t->weight_line + j * t->weight_tap), sum[i][j]))
    }
    const float *source = t->source + c;
    for (int64_t i = 0; i < t->rows && !window; i++) {
        for (int64_t j = 0; j < t->columns; j++) {
            float *to = depthwise_at(weight, i * t->weight_line + j * t->weight_tap);
            const float *tap = depthwise_at(source, i * t->tap_line + j * t->tap);
            vec acc = vec_load_upto(to, n);
            EACH_PIXEL_AT(tap, t->line, t->pixel, acc = vec_fma(vec_load_upto(at, n), grad[q][p], acc))
            vec_store_upto(to, acc, n);
        }
    }
}

#define WEIGHT_TILE(window, lines, pixels) \
    static void depthwise_weight_##window##_##lines##_##pixels(const depthwise_tile *t) { \
        const int64_t channels = t->all->channels; \
        int64_t c = 0; \
        for (; c + LANES <= channels; c += LANES) { \
            depthwise_weight_vector(t, c, LANES, window, lines, pixels); \
        } \
        if (c < channels) { \
            depthwise_weight_vector(t, c, channels - c, 0, lines, pixels); \
        } \
    }
#define WEIGHT_ENTRY(window, lines, pixels) depthwise_weight_##window##_##lines##_##pixels,
EACH_DEPTHWISE_TILE(WEIGHT_TILE)
static depthwise_tiles depthwise_weight_tiles = DEPTHWISE_TABLE(WEIGHT_ENTRY);

#endif
