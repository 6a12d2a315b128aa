/*
 * 2-D convolution, defined. Six loops in an order that keeps the output channels innermost, where weights and gradients
 * are contiguous. Taps that fall outside the image are skipped. BF16 is forward only, here as in all files.
 */
#include "conv2d/conv2d.h"

/* Where tap (i, j) of the window of output position (y, x) reads in an image, as a pixel index, or -1 outside. */
static inline int64_t source(const tarn_conv2d_args *a, int64_t y, int64_t x, int64_t i, int64_t j) {
    int64_t iy = y * a->sh + i * a->dh - a->pt, ix = x * a->sw + j * a->dw - a->pl;
    return iy < 0 || iy >= a->h || ix < 0 || ix >= a->w ? -1 : iy * a->w + ix;
}

static int32_t plan_forward(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    return conv2d_forward_valid(a) ? tarn_plan_tasks(plan, a->n * a->oh) : TARN_BAD_ARGUMENT;
}

/* Weights are F32 in BF16, too, and rounded like the activations that they meet. */
#if defined(TARN_BUILD_BF16)
static inline real weight_value(real w) { return tarn_bf16_to_float(tarn_bf16_of_float(w)); }
#else
static inline real weight_value(real w) { return w; }
#endif

/* One pixel of output channels [first, first + count), all of one group. */
#define SUMS 64 /* channels at a time */
static void forward_pixel(const tarn_conv2d_args *a, int64_t pixel, int64_t group, int64_t first, int64_t count) {
    const int64_t line = pixel / a->ow, x = pixel % a->ow, image = line / a->oh, y = line % a->oh;
    const int64_t icg = a->ic / a->groups;
    const element *input = (const element *)a->input + image * a->h * a->w * a->ic + group * icg;
    const real *weight = (const real *)a->weight + first;
    real sum[SUMS] = {0};
    for (int64_t tap = 0; tap < a->kh * a->kw; tap++) {
        const int64_t from = source(a, y, x, tap / a->kw, tap % a->kw);
        for (int64_t c = 0; from >= 0 && c < icg; c++) {
            const real v = tarn_get(input, from * a->ic + c), *w = weight + (tap * icg + c) * a->oc;
            for (int64_t o = 0; o < count; o++) {
                sum[o] += v * weight_value(w[o]);
            }
        }
    }
    for (int64_t o = 0; o < count; o++) {
        const int64_t at = pixel * a->oc + first + o;
        real v = sum[o];
        v = a->bias ? v + ((const real *)a->bias)[first + o] : v;
        v = a->residual ? v + tarn_get(a->residual, at) : v;
        tarn_set(a->output, at, activate(ACTIVATION_OF(a), v));
    }
}

/* A task is one row of an output image. */
static int32_t forward(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const int64_t ocg = a->oc / a->groups;
    for (int64_t pixel = begin * a->ow; pixel < end * a->ow; pixel++) {
        for (int64_t group = 0; group < a->groups; group++) {
            for (int64_t o = 0; o < ocg; o += SUMS) {
                forward_pixel(a, pixel, group, group * ocg + o, tarn_min(SUMS, ocg - o));
            }
        }
    }
    return TARN_OK;
}
VARIANT(conv2d_forward, conv2d, plan_forward, forward);

#if !defined(TARN_BUILD_BF16)

static int32_t plan_backward_data(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    return conv2d_backward_data_valid(a) ? tarn_plan_tasks(plan, a->n) : TARN_BAD_ARGUMENT;
}

/* grad_input[n, y*sh+i*dh-pt, x*sw+j*dw-pl, c] = residual + sum of weight[i,j,c,o] * grad_output[n,y,x,o]. A task is one
 * image. */
static int32_t backward_data(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const real *weight = a->weight, *residual = a->residual;
    const int64_t icg = a->ic / a->groups, ocg = a->oc / a->groups, in = a->h * a->w * a->ic, out = a->oh * a->ow;
    for (int64_t image = begin; image < end; image++) {
        real *grad_input = (real *)a->grad_input + image * in;
        for (int64_t i = 0; i < in; i++) {
            grad_input[i] = residual ? residual[image * in + i] : 0;
        }
        for (int64_t pixel = 0; pixel < out; pixel++) {
            const real *grad_output = (const real *)a->grad_output + (image * out + pixel) * a->oc;
            for (int64_t tap = 0; tap < a->kh * a->kw; tap++) {
                const int64_t to = source(a, pixel / a->ow, pixel % a->ow, tap / a->kw, tap % a->kw);
                for (int64_t c = 0; to >= 0 && c < a->ic; c++) {
                    const int64_t group = c / icg;
                    const real *w = weight + (tap * icg + c % icg) * a->oc + group * ocg,
                            *g = grad_output + group * ocg;
                    real sum = 0;
                    for (int64_t o = 0; o < ocg; o++) {
                        sum += w[o] * g[o];
                    }
                    grad_input[to * a->ic + c] += sum;
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(conv2d_backward_data, conv2d, plan_backward_data, backward_data);

static int32_t plan_backward_weight(const void *args, tarn_plan *plan) {
    const tarn_conv2d_args *a = args;
    return conv2d_backward_weight_valid(a) ? tarn_plan_tasks(plan, a->n ? a->kh * a->kw * (a->ic / a->groups) : 0)
                                           : TARN_BAD_ARGUMENT;
}

/* grad_weight[i,j,c,o] += sum of input * grad_output over all windows. A task is one row (i, j, c) of the weights. */
static int32_t backward_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const int64_t icg = a->ic / a->groups, ocg = a->oc / a->groups, out = a->oh * a->ow;
    for (int64_t row = begin; row < end; row++) {
        const int64_t tap = row / icg, c = row % icg;
        real *grad_weight = (real *)a->grad_weight + row * a->oc;
        for (int64_t pixel = 0; pixel < a->n * out; pixel++) {
            const int64_t image = pixel / out, y = pixel % out / a->ow, x = pixel % a->ow;
            const int64_t from = source(a, y, x, tap / a->kw, tap % a->kw);
            const real *v = (const real *)a->input + (image * a->h * a->w + from) * a->ic + c;
            const real *grad_output = (const real *)a->grad_output + pixel * a->oc;
            for (int64_t group = 0; from >= 0 && group < a->groups; group++) {
                for (int64_t o = group * ocg; o < (group + 1) * ocg; o++) {
                    grad_weight[o] += v[group * icg] * grad_output[o];
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(conv2d_backward_weight, conv2d, plan_backward_weight, backward_weight);
#endif
