/* Depthwise convolution, gradient of the weights: `weight` is the sum, `result` the gradient of the output. */
#ifndef TARN_DEPTHWISE_WEIGHT_H
#define TARN_DEPTHWISE_WEIGHT_H

#include "conv2d/depthwise.h"

/* n channels from c on. */
static inline __attribute__((always_inline)) void depthwise_weight_vector(
        const depthwise_tile *t, int64_t c, int64_t n, const int window, const int lines, const int pixels) {
    const depthwise *all = t->all;
    vec grad[DEPTHWISE_LINES][DEPTHWISE_PIXELS];
    EACH_PIXEL(grad[q][p] = vec_load_upto(all->result + t->result + q * all->line + p * all->pixel + c, n))
    if (window) {
        vec sum[3][3];
        EACH_TAP(sum[i][j] = vec_load(t->weight + i * t->weight_line + j * t->weight_tap + c))
        depthwise_window(t, c, window, lines, pixels, grad, sum, 1);
        EACH_TAP(vec_store(t->weight + i * t->weight_line + j * t->weight_tap + c, sum[i][j]))
    }
    int64_t once = t->pixel * (int64_t)sizeof(float), thrice = 3 * once;
    DEPTHWISE_HIDE(once);
    DEPTHWISE_HIDE(thrice);
    for (int64_t i = 0; i < t->rows && !window; i++) {
        const float *source = t->source + i * t->tap_line + c;
        float *weight = t->weight + i * t->weight_line + c;
        for (int64_t j = 0; j < t->columns; j++, source += t->tap, weight += t->weight_tap) {
            vec acc = vec_load_upto(weight, n);
#pragma GCC unroll 7
            for (int q = 0; q < lines; q++) {
                const char *base = (const char *)(source + q * t->line);
                DEPTHWISE_HIDE(base);
#pragma GCC unroll 3
                for (int p = 0; p < pixels; p++) {
                    acc = vec_fma(vec_load_upto(depthwise_source(base, once, thrice, p), n), grad[q][p], acc);
                }
            }
            vec_store_upto(weight, acc, n);
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
