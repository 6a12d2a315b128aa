/* Depthwise convolution, gradient of the weights: `weight` is the sum, `result` the gradient of the output. */
#ifndef TARN_DEPTHWISE_WEIGHT_H
#define TARN_DEPTHWISE_WEIGHT_H

#include "conv2d/depthwise.h"

/* n channels from c on. */
static inline __attribute__((always_inline)) void depthwise_weight_vector(
        const depthwise_tile *t, int64_t c, int64_t n, const int lines, const int pixels) {
    const depthwise *all = t->all;
    vec grad[DEPTHWISE_LINES][DEPTHWISE_PIXELS];
#pragma GCC unroll 2
    for (int q = 0; q < lines; q++) {
#pragma GCC unroll 8
        for (int p = 0; p < pixels; p++) {
            grad[q][p] = vec_load_upto(all->result + t->result + q * all->line + p * all->pixel + c, n);
        }
    }
    int64_t once = t->pixel * (int64_t)sizeof(float), thrice = 3 * once;
    DEPTHWISE_HIDE(once);
    DEPTHWISE_HIDE(thrice);
    for (int64_t i = 0; i < t->rows; i++) {
        const float *source = t->source + i * t->tap_line + c;
        float *weight = t->weight + i * t->weight_line + c;
        for (int64_t j = 0; j < t->columns; j++, source += t->tap, weight += t->weight_tap) {
            vec acc = vec_load_upto(weight, n);
#pragma GCC unroll 2
            for (int q = 0; q < lines; q++) {
                const char *near = (const char *)(source + q * t->line), *far = near + ROWS_OF_BASE * once;
                DEPTHWISE_HIDE(near);
                DEPTHWISE_HIDE(far);
#pragma GCC unroll 8
                for (int p = 0; p < pixels; p++) {
                    acc = vec_fma(vec_load_upto(depthwise_source(near, far, once, thrice, p), n), grad[q][p], acc);
                }
            }
            vec_store_upto(weight, acc, n);
        }
    }
}

#define WEIGHT_TILE(lines, pixels) \
    static void depthwise_weight_##lines##_##pixels(const depthwise_tile *t) { \
        const int64_t channels = t->all->channels; \
        int64_t c = 0; \
        for (; c + LANES <= channels; c += LANES) { \
            depthwise_weight_vector(t, c, LANES, lines, pixels); \
        } \
        if (c < channels) { \
            depthwise_weight_vector(t, c, channels - c, lines, pixels); \
        } \
    }
#define WEIGHT_ROW(lines, pixels) depthwise_weight_##lines##_##pixels,
EACH_DEPTHWISE_TILE(WEIGHT_TILE)
static depthwise_run_tile *const depthwise_weight_tiles[DEPTHWISE_LINES][DEPTHWISE_PIXELS] = {
    {EACH_WIDTH(WEIGHT_ROW, 1)}, {EACH_WIDTH(WEIGHT_ROW, 2)}};

#endif
