/*
 * Forward with few channels (few_channels.h). Sums are in the order of the window and its channels, as in the GEMM
 * variant, and have the same bits.
 */
#include "activation/vec_activation.h"
#include "conv2d/few_channels.h"

#define UNITS 2 /* of a tile */

/* What a tile reads and writes: `channels` output channels of two units, planar (channel, lane) at sums[unit]. */
typedef struct {
    const float *x[UNITS];  /* copied input of the unit's first pixel */
    const float *weight;    /* of the first channel, as bias */
    const float *bias;
    int64_t weight_pitch;
    float *sums[UNITS];
} forward_args;

static inline __attribute__((always_inline)) void forward_tile(
        const layout *l, const forward_args *f, const int channels) {
    const float *x0 = f->x[0], *x1 = f->x[1], *weight = f->weight;
    vec acc[TILE][UNITS];
#pragma GCC unroll 8
    for (int o = 0; o < channels; o++) {
        acc[o][0] = acc[o][1] = vec_zero();
    }
    for (int64_t k = 0; k < l->taps; k++, weight += f->weight_pitch) {
        const vec a0 = vec_load(x0 + l->offset[k]), a1 = vec_load(x1 + l->offset[k]);
#pragma GCC unroll 8
        for (int o = 0; o < channels; o++) {
            const vec w = vec_set1(weight[o]);
            acc[o][0] = vec_fma(a0, w, acc[o][0]);
            acc[o][1] = vec_fma(a1, w, acc[o][1]);
        }
    }
#pragma GCC unroll 8
    for (int o = 0; o < channels; o++) {
        if (f->bias) {
            acc[o][0] = vec_add(acc[o][0], vec_set1(f->bias[o]));
            acc[o][1] = vec_add(acc[o][1], vec_set1(f->bias[o]));
        }
        vec_store(f->sums[0] + o * LANES, acc[o][0]);
        vec_store(f->sums[1] + o * LANES, acc[o][1]);
    }
}
#define FORWARD_TILE(m) \
    static void forward_tile_##m(const layout *l, const forward_args *f) { forward_tile(l, f, m); }
#define FORWARD_ROW(m) forward_tile_##m,
EACH_TILE(FORWARD_TILE)
static void (*const forward_tiles[TILE])(const layout *, const forward_args *) = {EACH_TILE(FORWARD_ROW)};

/*
 * Planar sums of one unit to its pixels' channels. Each pixel takes whole groups of four floats: what goes too far lies
 * in later pixels, or in the slack behind the last one. Groups go from last to first and pixels upwards, so that what
 * belongs there is written later.
 */
static inline void interleave(const float *sums, int64_t channels, float *to) {
    for (int64_t c = (channels - 1) / 4 * 4; c >= 0; c -= 4) {
        vec quad[4];
        for (int64_t o = 0; o < 4; o++) {
            quad[o] = vec_load(sums + (c + o) * LANES);
        }
        vec_store_quad(to + c, channels, quad);
    }
}

/* A visit's output without residual and act, as (line, pixel, channel). sums: of UNITS units, zero at first. */
static void forward_visit(const tarn_conv2d_args *a, const layout *l, const float *source, int64_t lines, float *sums,
        float *result) {
    const float *x = source, *bias = a->bias;
    for (int64_t line = 0, unit = 0; line < lines;) {
        float *to[UNITS];
        forward_args f = {.weight_pitch = a->oc};
        int64_t count = 0; /* units may be of two lines; where only one is left it is computed twice */
        for (; count < UNITS && line < lines; count++) {
            f.x[count] = x + unit * LANES;
            to[count] = result + unit * LANES * a->oc;
            if (++unit == l->units) {
                unit = 0;
                line++;
                x += a->sh * a->ic * l->line;
                result += a->ow * a->oc;
            }
        }
        f.x[1] = f.x[count - 1];
        for (int64_t o = 0, end; o < a->oc; o = end) {
            end = tile_end(a->oc, o);
            f.weight = (const float *)a->weight + o;
            f.bias = bias ? bias + o : NULL;
            f.sums[0] = sums + o * LANES;
            f.sums[1] = f.sums[0] + MAX_OUTPUTS * LANES;
            forward_tiles[end - o - 1](l, &f);
        }
        for (int64_t u = 0; u < count; u++) {
            interleave(sums + u * MAX_OUTPUTS * LANES, a->oc, to[u]);
        }
    }
}

/* n floats of the output, at its element at: residual and act. */
static inline __attribute__((always_inline)) void finish(
        const tarn_conv2d_args *a, const float *result, int64_t at, int64_t n) {
    vec x = vec_load_upto(result, n);
    x = a->residual ? vec_add(x, vec_load_upto((const float *)a->residual + at, n)) : x;
    vec_store_upto((float *)a->output + at, vec_activate(ACTIVATION_OF(a), x), n);
}

static int32_t plan_forward(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    if (!conv2d_forward_valid(a)) {
        return TARN_BAD_ARGUMENT;
    }
    if (!accepts(a)) {
        return TARN_DECLINED;
    }
    const layout l = layout_of(a);
    const int64_t result = (l.lines * a->ow + LANES) * a->oc + 4;
    *plan = (tarn_plan){
        .tasks = {a->n * l.visits},
        .scratch = (l.source + UNITS * MAX_OUTPUTS * LANES + result) * (int64_t)sizeof(float),
    };
    return TARN_OK;
}

/* A task is a visit. */
static int32_t forward(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    layout l = layout_of(a);
    find_taps(a, &l);
    float *source = a->scratch, *sums = source + l.source, *result = sums + UNITS * MAX_OUTPUTS * LANES;
    conv2d_zero(sums, UNITS * MAX_OUTPUTS * LANES);
    for (int64_t task = begin; task < end; task++) {
        const int64_t image = task / l.visits, y = task % l.visits * l.lines, lines = tarn_min(l.lines, a->oh - y);
        copy_input(a, &l, image, y, lines, source);
        forward_visit(a, &l, source, lines, sums, result);
        const int64_t at = (image * a->oh + y) * a->ow * a->oc, count = lines * a->ow * a->oc;
        int64_t i = 0;
        for (; i + LANES <= count; i += LANES) {
            finish(a, result + i, at + i, LANES);
        }
        if (i < count) {
            finish(a, result + i, at + i, count - i);
        }
    }
    return TARN_OK;
}
VARIANT_NAMED(conv2d_forward, few_channels, conv2d, plan_forward, forward);
