/* Depthwise convolution forward, and the gradient of its input. */
#ifndef TARN_DEPTHWISE_GATHER_H
#define TARN_DEPTHWISE_GATHER_H

#include "conv2d/depthwise.h"

#define EACH_SUM(statement) \
    _Pragma("GCC unroll 2") for (int q = 0; q < lines; q++) { \
        _Pragma("GCC unroll 8") for (int p = 0; p < pixels; p++) { \
            statement; \
        } \
    }

/* n channels from c on. */
static inline __attribute__((always_inline)) void depthwise_gather_vector(
        const depthwise_tile *t, int64_t c, int64_t n, const int lines, const int pixels) {
    vec acc[DEPTHWISE_LINES][DEPTHWISE_PIXELS];
    EACH_SUM(acc[q][p] = vec_zero())
    int64_t once = t->pixel * (int64_t)sizeof(float), thrice = 3 * once;
    HIDE(once);
    HIDE(thrice);
    for (int64_t i = 0; i < t->rows; i++) {
        const float *source = t->source + i * t->tap_line + c, *weight = t->weight + i * t->weight_line + c;
        for (int64_t j = 0; j < t->columns; j++, source += t->tap, weight += t->weight_tap) {
            const vec w = gemm_load(weight, n);
#pragma GCC unroll 2
            for (int q = 0; q < lines; q++) {
                const char *near = (const char *)(source + q * t->line), *far = near + ROWS_OF_BASE * once;
                HIDE(near);
                HIDE(far);
#pragma GCC unroll 8
                for (int p = 0; p < pixels; p++) {
                    acc[q][p] = vec_fma(gemm_load(depthwise_source(near, far, once, thrice, p), n), w, acc[q][p]);
                }
            }
        }
    }
    /* One pass for each part of the epilogue, as in gemm.h. */
    const depthwise *all = t->all;
    const gemm_epilogue *e = &all->epilogue;
    const int64_t at = t->result + c, line = all->line, pixel = all->pixel;
    if (e->bias) {
        const vec bias = gemm_load(e->bias + c, n);
        EACH_SUM(acc[q][p] = vec_add(acc[q][p], bias))
    }
    if (e->residual) {
        EACH_SUM(acc[q][p] = vec_add(acc[q][p], gemm_load(e->residual + at + q * line + p * pixel, n)))
    }
    if (e->activation.kind > TARN_RELU6) {
        vec sums[DEPTHWISE_LINES * DEPTHWISE_PIXELS];
        EACH_SUM(sums[q * pixels + p] = acc[q][p])
        vec_activate_each(e->activation, sums, lines * pixels);
        EACH_SUM(acc[q][p] = sums[q * pixels + p])
    } else if (e->activation.kind != TARN_IDENTITY) {
        EACH_SUM(acc[q][p] = vec_relu(acc[q][p]))
        if (e->activation.kind == TARN_RELU6) {
            EACH_SUM(acc[q][p] = vec_min6(acc[q][p]))
        }
    }
    float *to = all->result + at;
    if (all->stream && n == LANES) {
        EACH_SUM(vec_stream(to + q * line + p * pixel, acc[q][p]))
    } else {
        EACH_SUM(gemm_store(to + q * line + p * pixel, acc[q][p], n))
    }
}

#define GATHER_TILE(lines, pixels) \
    static void depthwise_gather_##lines##_##pixels(const depthwise_tile *t) { \
        const int64_t channels = t->all->channels; \
        int64_t c = 0; \
        for (; c + LANES <= channels; c += LANES) { \
            depthwise_gather_vector(t, c, LANES, lines, pixels); \
        } \
        if (c < channels) { \
            depthwise_gather_vector(t, c, channels - c, lines, pixels); \
        } \
    }
#define GATHER_ROW(lines, pixels) depthwise_gather_##lines##_##pixels,
EACH_DEPTHWISE_TILE(GATHER_TILE)
static depthwise_run_tile *const depthwise_gather_tiles[DEPTHWISE_LINES][DEPTHWISE_PIXELS] = {
    {EACH_WIDTH(GATHER_ROW, 1)}, {EACH_WIDTH(GATHER_ROW, 2)}};

#endif
