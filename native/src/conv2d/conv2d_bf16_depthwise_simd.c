/* Depthwise convolution in BF16 with vectors over channels, in floats: it waits for memory, not for products of pairs. */
#include "activation/vec_activation.h"
#include "conv2d/conv2d.h"
#include "simd/vec_element.h"

#define WIDE 4 /* vectors of channels that go through the taps together */

/* Tasks: one that rounds the weights, then lines of the output. */
static int32_t plan_depthwise(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_forward_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    if (!conv2d_depthwise(a) || a->groups == 1) {
        return TARN_DECLINED;
    }
    *plan = (tarn_plan){
        .tasks = {a->n > 0, a->n * a->oh}, .shared = a->kh * a->kw * a->ic * (int64_t)sizeof(float), .reusable = 1};
    return TARN_OK;
}

/* The weights, rounded, as floats. */
static int32_t round_weights(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const float *weight = a->weight;
    float *rounded = a->shared;
    for (int64_t i = 0; begin < end && i < a->kh * a->kw * a->ic; i++) {
        rounded[i] = tarn_bf16_to_float(tarn_bf16_of_float(weight[i]));
    }
    return TARN_OK;
}

/* Channels from c on of one output pixel; the last vector has tail lanes. */
static inline __attribute__((always_inline)) void depthwise_pixel(const tarn_conv2d_args *a, int64_t line, int64_t x,
        int64_t c, const int vectors, int64_t tail) {
    const int64_t top = line % a->oh * a->sh - a->pt, left = x * a->sw - a->pl;
    vec acc[WIDE];
    for (int v = 0; v < vectors; v++) {
        acc[v] = vec_zero();
    }
    for (int64_t i = 0; i < a->kh; i++) {
        const int64_t iy = top + i * a->dh;
        for (int64_t j = 0; j < a->kw && iy >= 0 && iy < a->h; j++) {
            const int64_t ix = left + j * a->dw;
            if (ix < 0 || ix >= a->w) {
                continue;
            }
            const element *from = (const element *)a->input + ((line / a->oh * a->h + iy) * a->w + ix) * a->ic + c;
            const float *weight = (const float *)a->shared + (i * a->kw + j) * a->ic + c;
            for (int v = 0; v < vectors; v++) {
                const vec w = vec_load_upto(weight + v * LANES, tail);
                acc[v] = vec_fma(vec_get(from + v * LANES, tail), w, acc[v]);
            }
        }
    }
    for (int v = 0; v < vectors; v++, c += LANES) {
        const int64_t at = (line * a->ow + x) * a->ic + c;
        vec sum = acc[v];
        sum = a->bias ? vec_add(sum, vec_load_upto((const float *)a->bias + c, tail)) : sum;
        sum = a->residual ? vec_add(sum, vec_get((const element *)a->residual + at, tail)) : sum;
        vec_put((element *)a->output + at, vec_activate(ACTIVATION_OF(a), sum), tail);
    }
}

static int32_t depthwise(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    for (int64_t line = begin; line < end; line++) {
        for (int64_t x = 0; x < a->ow; x++) {
            int64_t c = 0;
            for (; c + WIDE * LANES <= a->ic; c += WIDE * LANES) {
                depthwise_pixel(a, line, x, c, WIDE, LANES);
            }
            for (; c + LANES <= a->ic; c += LANES) {
                depthwise_pixel(a, line, x, c, 1, LANES);
            }
            if (c < a->ic) {
                depthwise_pixel(a, line, x, c, 1, a->ic - c);
            }
        }
    }
    return TARN_OK;
}
VARIANT_NAMED(conv2d_forward, depthwise, conv2d, plan_depthwise, round_weights, depthwise);
