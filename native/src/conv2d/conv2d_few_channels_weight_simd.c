/*
 * Gradient of the weights with few channels (few_channels.h). Sums are kept lane by lane until the end of a chunk of
 * the output lines; chunks have private sums, which phase 1 adds in order. One chunk adds to grad_weight at once.
 */
#include "conv2d/few_channels.h"
#include "conv2d/private_sums.h"

#define GRAD_SLACK (3 * LANES)

/* Output gradient of a unit of n pixels as (channel, lane), zero beyond. staged: quads may read beyond the tensor. */
static inline __attribute__((always_inline)) void copy_grad_unit(
        const float *grad_output, int64_t channels, int64_t n, float *staged, float *to) {
    conv2d_copy(staged, 0, grad_output, 0, n * channels, 1);
    for (int64_t c = 0; c < channels; c += 4) {
        vec quad[4];
        vec_load_quad(staged + c, channels, quad);
        for (int64_t o = 0; o < 4; o++) {
            /* channels beyond the last go where the next unit will be */
            vec_store(to + (c + o) * LANES, n == LANES ? quad[o] : vec_first(quad[o], n));
        }
    }
}

static void copy_grad_output(const tarn_conv2d_args *a, const layout *l, const float *grad_output, int64_t lines,
        float *staged, float *to) {
    const int64_t channels = a->oc, unit = channels * LANES;
    for (; lines > 0; lines--) {
        for (int64_t u = 1; u < l->units; u++, to += unit, grad_output += unit) {
            copy_grad_unit(grad_output, channels, LANES, staged, to);
        }
        copy_grad_unit(grad_output, channels, l->tail, staged, to);
        to += unit;
        grad_output += l->tail * channels;
    }
}

/* acc += FEW_TAPS taps times `channels` output channels for one unit of n pixels. */
#define WEIGHT_UNIT(x, g, n) \
    do { \
        vec xs[FEW_TAPS]; \
        _Pragma("GCC unroll 8") for (int t = 0; t < FEW_TAPS; t++) { \
            xs[t] = (n) == LANES ? vec_load((x) + offset[t]) : vec_load_n((x) + offset[t], n); \
        } \
        _Pragma("GCC unroll 8") for (int o = 0; o < channels; o++) { \
            const vec gs = vec_load((g) + o * LANES); \
            _Pragma("GCC unroll 8") for (int t = 0; t < FEW_TAPS; t++) { \
                acc[o][t] = vec_fma(xs[t], gs, acc[o][t]); \
            } \
        } \
    } while (0)

/*
 * A visit's part of a tile of the gradient, lane by lane, is added to sums (tap, channel, lane). grad: of the first
 * channel. Pixels beyond a line's end are masked in both factors: an infinite one would make NaN of zeros.
 */
static inline __attribute__((always_inline)) void weight_tile(const tarn_conv2d_args *a, const layout *l,
        const int64_t *offset, const float *source, const float *grad, int64_t lines, float *sums, const int channels) {
    vec acc[TILE][FEW_TAPS];
#pragma GCC unroll 8
    for (int o = 0; o < channels; o++) {
#pragma GCC unroll 8
        for (int t = 0; t < FEW_TAPS; t++) {
            acc[o][t] = vec_load(sums + (t * a->oc + o) * LANES);
        }
    }
    const int64_t unit = a->oc * LANES, whole = l->tail == LANES ? l->units : l->units - 1;
    for (int64_t y = 0; y < lines; y++, source += a->sh * a->ic * l->line) {
        const float *x = source;
        for (int64_t u = 0; u < whole; u++, x += LANES, grad += unit) {
            WEIGHT_UNIT(x, grad, LANES);
        }
        if (whole < l->units) {
            WEIGHT_UNIT(x, grad, l->tail);
            grad += unit;
        }
    }
#pragma GCC unroll 8
    for (int o = 0; o < channels; o++) {
#pragma GCC unroll 8
        for (int t = 0; t < FEW_TAPS; t++) {
            vec_store(sums + (t * a->oc + o) * LANES, acc[o][t]);
        }
    }
}
#define WEIGHT_TILE(m) \
    static void weight_tile_##m(const tarn_conv2d_args *a, const layout *l, const int64_t *offset, \
            const float *source, const float *grad, int64_t lines, float *sums) { \
        weight_tile(a, l, offset, source, grad, lines, sums, m); \
    }
#define WEIGHT_ROW(m) weight_tile_##m,
EACH_TILE(WEIGHT_TILE)
static void (*const weight_tiles[TILE])(const tarn_conv2d_args *, const layout *, const int64_t *, const float *,
        const float *, int64_t, float *) = {EACH_TILE(WEIGHT_ROW)};

/* Taps in whole tiles: those beyond the last are sums of something, which nothing reads. */
static int64_t padded_taps(const layout *l) { return tarn_ceil_div(l->taps, FEW_TAPS) * FEW_TAPS; }

static int32_t plan_backward_weight(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_backward_weight_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    if (!accepts(a)) {
        return TARN_DECLINED;
    }
    const layout l = layout_of(a);
    const int64_t weights = conv2d_weights(a), units = l.lines * l.units + 1 + padded_taps(&l);
    *plan = (tarn_plan){
        .tasks = {a->n ? l.chunks : 0, a->n && l.chunks > 1 ? tarn_ceil_div(weights, REDUCE_TASK) : 0},
        .shared = l.chunks > 1 ? l.chunks * weights * (int64_t)sizeof(float) : 0,
        .scratch = (l.source + units * a->oc * LANES + GRAD_SLACK + 4) * (int64_t)sizeof(float),
    };
    return TARN_OK;
}

/* Phase 0, a task is a chunk of all output lines. */
static int32_t backward_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    layout l = layout_of(a);
    find_taps(a, &l);
    const int64_t taps = padded_taps(&l), all = a->n * a->oh, unit = a->oc * LANES;
    float *source = a->scratch, *sums = source + l.source, *grad = sums + taps * unit;
    float *staged = grad + l.lines * l.units * unit + GRAD_SLACK;
    conv2d_zero(staged, unit + 4);
    for (int64_t chunk = begin; chunk < end; chunk++) {
        conv2d_zero(sums, taps * unit);
        const int64_t stop = (chunk + 1) * all / l.chunks;
        for (int64_t at = chunk * all / l.chunks, lines; at < stop; at += lines) {
            const int64_t image = at / a->oh, y = at % a->oh;
            lines = tarn_min(tarn_min(l.lines, a->oh - y), stop - at);
            copy_input(a, &l, image, y, lines, source);
            copy_grad_output(a, &l, (const float *)a->grad_output + at * a->ow * a->oc, lines, staged, grad);
            for (int64_t o = 0, next; o < a->oc; o = next) {
                next = tile_end(a->oc, o);
                for (int64_t k = 0; k < taps; k += FEW_TAPS) {
                    weight_tiles[next - o - 1](a, &l, l.offset + k, source, grad + o * LANES, lines,
                            sums + k * unit + o * LANES);
                }
            }
        }
        float *to = l.chunks > 1 ? (float *)a->shared + chunk * conv2d_weights(a) : a->grad_weight;
        for (int64_t i = 0; i < conv2d_weights(a); i++) {
            to[i] = vec_sum(vec_load(sums + i * LANES)) + (l.chunks > 1 ? 0 : to[i]);
        }
    }
    return TARN_OK;
}

/* Phase 1, a task is a range of grad_weight. */
static int32_t reduce(const void *args, int64_t begin, int64_t end) {
    conv2d_reduce(args, layout_of(args).chunks, begin, end);
    return TARN_OK;
}
VARIANT_NAMED(conv2d_backward_weight, few_channels, conv2d, plan_backward_weight, backward_weight, reduce);
