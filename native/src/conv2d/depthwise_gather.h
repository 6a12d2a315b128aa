/* Depthwise convolution forward, and the gradient of its input. */
#ifndef TARN_DEPTHWISE_GATHER_H
#define TARN_DEPTHWISE_GATHER_H

#include "conv2d/depthwise.h"

/* n channels from c on. */
static inline __attribute__((always_inline)) void depthwise_gather_vector(
        const depthwise_tile *t, int64_t c, int64_t n, const int window, const int lines, const int pixels) {
    vec acc[DEPTHWISE_LINES][DEPTHWISE_PIXELS];
    EACH_PIXEL(acc[q][p] = vec_zero())
    if (window) {
        vec w[3][3];
        EACH_TAP(w[i][j] = vec_load(t->weight + i * t->weight_line + j * t->weight_tap + c))
        depthwise_window(t, c, window, lines, pixels, acc, w, 0);
    }
    int64_t once = t->pixel * (int64_t)sizeof(float), thrice = 3 * once;
    DEPTHWISE_HIDE(once);
    DEPTHWISE_HIDE(thrice);
    for (int64_t i = 0; i < t->rows && !window; i++) {
        const float *source = t->source + i * t->tap_line + c, *weight = t->weight + i * t->weight_line + c;
        for (int64_t j = 0; j < t->columns; j++, source += t->tap, weight += t->weight_tap) {
            const vec w = vec_load_upto(weight, n);
#pragma GCC unroll 7
            for (int q = 0; q < lines; q++) {
                const char *base = (const char *)(source + q * t->line);
                DEPTHWISE_HIDE(base);
#pragma GCC unroll 3
                for (int p = 0; p < pixels; p++) {
                    acc[q][p] = vec_fma(vec_load_upto(depthwise_source(base, once, thrice, p), n), w, acc[q][p]);
                }
            }
        }
    }
    /* One pass for each part of the epilogue, as in gemm.h. */
    const depthwise *all = t->all;
    const int64_t at = t->result + c, line = all->line, pixel = all->pixel;
    if (all->bias) {
        const vec bias = vec_load_upto(all->bias + c, n);
        EACH_PIXEL(acc[q][p] = vec_add(acc[q][p], bias))
    }
    if (all->residual) {
        EACH_PIXEL(acc[q][p] = vec_add(acc[q][p], vec_load_upto(all->residual + at + q * line + p * pixel, n)))
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
    float *to = all->result + at;
    if (all->stream && n == LANES) {
        EACH_PIXEL(vec_stream(to + q * line + p * pixel, acc[q][p]))
    } else {
        EACH_PIXEL(vec_store_upto(to + q * line + p * pixel, acc[q][p], n))
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
