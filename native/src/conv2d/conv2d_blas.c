/*
 * Convolution around OpenBLAS: im2row of some pixels, then one product for each group. Where the products are cut
 * depends on the shape of one image alone, for OpenBLAS rounds a row by its place in the matrix. (Not so in a linear
 * layer's backward operations, where rows of all images make one product: one row each would be no matrix.)
 */
#include "conv2d/im2row.h"
#include "cpu/blocks.h"

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };

typedef void sgemm(int order, int transpose_a, int transpose_b, int32_t m, int32_t n, int32_t k, float alpha,
        const float *a,
        int32_t lda, const float *b, int32_t ldb, float beta, float *c, int32_t ldc);

typedef struct {
    conv2d_gather gather;
    int64_t depth, columns; /* of one group's weights */
    int64_t image;          /* output pixels cut into blocks together: one image, or a linear layer's batch */
    int64_t images;
    int64_t block;          /* pixels of one product */
    int64_t chunks;         /* backward weight: tasks, with private sums if there is more than one */
    int64_t weights;
    int direct;
} layout;

static layout layout_of(const tarn_conv2d_args *a) {
    layout l = {.gather = conv2d_gather_forward(a), .columns = a->oc / a->groups, .image = a->oh * a->ow,
            .images = a->n};
    l.depth = conv2d_depth(&l.gather);
    l.weights = l.depth * a->oc;
    l.direct = conv2d_axis_direct(&l.gather.y) && conv2d_axis_direct(&l.gather.x);
    if (l.image == 1 && l.direct) {
        l.image = a->n;
        l.images = a->n > 0;
    }
    l.block = tarn_max(1, tarn_min(l.image, BLAS_BLOCK_BYTES / (int64_t)sizeof(float) / l.depth));
    const int64_t sums = PARTIAL_BYTES / (int64_t)sizeof(float) / l.weights;
    l.chunks = tarn_min(l.images, tarn_max(1, tarn_min(ENOUGH_TASKS, sums)));
    return l;
}

/* Groups of few channels make products that are all overhead. */
static int declines(const tarn_conv2d_args *a) {
    return !a->sgemm || (a->groups > 1 && tarn_min(a->ic, a->oc) / a->groups < 8) || a->ic > INT32_MAX
            || a->oc > INT32_MAX
            || a->kh * a->kw * a->ic > INT32_MAX;
}

static int32_t plan(const tarn_conv2d_args *a, int valid, int declined, tarn_plan *plan) {
    if (!valid || declined) {
        return valid ? TARN_DECLINED : TARN_BAD_ARGUMENT;
    }
    const layout l = layout_of(a);
    *plan = (tarn_plan){.tasks = {l.images}, .scratch = l.direct ? 0 : l.block * l.depth * (int64_t)sizeof(float)};
    return TARN_OK;
}

static int32_t plan_forward(const void *args, tarn_plan *p) {
    const tarn_conv2d_args *a = args;
    const int valid = conv2d_forward_valid(a);
    return plan(a, valid, valid && (declines(a) || a->oh * a->ow == 1), p);
}

static void finish(const tarn_conv2d_args *a, int64_t pixel, int64_t count) {
    const float *bias = a->bias, *residual = a->residual;
    for (int64_t i = pixel * a->oc; i < (pixel + count) * a->oc; i += a->oc) {
        float *output = (float *)a->output + i;
        for (int64_t o = 0; o < a->oc; o++) {
            float v = output[o];
            v = bias ? v + bias[o] : v;
            v = residual ? v + residual[i + o] : v;
            output[o] = activate(ACTIVATION_OF(a), v);
        }
    }
}

/* A task is one image. */
static int32_t forward(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    sgemm *gemm = (sgemm *)a->sgemm;
    for (int64_t image = begin; image < end; image++) {
        for (int64_t p = 0; p < l.image; p += l.block) {
            const int64_t pixel = image * l.image + p, count = tarn_min(l.block, l.image - p);
            for (int64_t group = 0; group < a->groups; group++) {
                const float *rows = (const float *)a->input + group * l.gather.channels;
                if (l.direct) {
                    rows += pixel * a->ic;
                } else {
                    conv2d_im2row(&l.gather, rows, pixel, count, 0, l.depth, a->scratch, l.depth);
                    rows = a->scratch;
                }
                gemm(ROW_MAJOR, PLAIN, PLAIN, (int32_t)count, (int32_t)l.columns, (int32_t)l.depth, 1, rows,
                        (int32_t)(l.direct ? a->ic : l.depth), (const float *)a->weight + group * l.columns,
                                (int32_t)a->oc, 0,
                        (float *)a->output + pixel * a->oc + group * l.columns, (int32_t)a->oc);
            }
            finish(a, pixel, count);
        }
    }
    return TARN_OK;
}
VARIANT(conv2d_forward, conv2d, plan_forward, forward);

static int32_t plan_backward_data(const void *args, tarn_plan *p) {
    const tarn_conv2d_args *a = args;
    const int valid = conv2d_backward_data_valid(a);
    return plan(a, valid, valid && declines(a), p);
}

/* A task is one image, or the whole batch of a linear layer. */
static int32_t backward_data(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    sgemm *gemm = (sgemm *)a->sgemm;
    for (int64_t image = begin; image < end; image++) {
        float *grad_input = a->grad_input;
        if (!l.direct) {
            conv2d_begin_gradient(a, image * a->h * a->w * a->ic, a->h * a->w * a->ic);
        } else if (a->residual) {
            conv2d_begin_gradient(a, image * l.image * a->ic, l.image * a->ic);
        }
        for (int64_t p = 0; p < l.image; p += l.block) {
            const int64_t pixel = image * l.image + p, count = tarn_min(l.block, l.image - p);
            for (int64_t group = 0; group < a->groups; group++) {
                float *to = grad_input + group * l.gather.channels, *rows = l.direct ? to + pixel * a->ic : a->scratch;
                gemm(ROW_MAJOR, PLAIN, TRANSPOSED, (int32_t)count, (int32_t)l.depth, (int32_t)l.columns, 1,
                        (const float *)a->grad_output + pixel * a->oc + group * l.columns, (int32_t)a->oc,
                        (const float *)a->weight + group * l.columns, (int32_t)a->oc, l.direct && a->residual, rows,
                        (int32_t)(l.direct ? a->ic : l.depth));
                if (!l.direct) {
                    conv2d_row2im(&l.gather, to, pixel, count, rows, l.depth);
                }
            }
        }
    }
    return TARN_OK;
}
VARIANT(conv2d_backward_data, conv2d, plan_backward_data, backward_data);

static int32_t plan_backward_weight(const void *args, tarn_plan *p) {
    const tarn_conv2d_args *a = args;
    const int valid = conv2d_backward_weight_valid(a);
    const int32_t status = plan(a, valid, valid && declines(a), p);
    if (status == TARN_OK) {
        const layout l = layout_of(a);
        p->tasks[0] = l.chunks;
        if (l.chunks > 1) {
            p->tasks[1] = tarn_ceil_div(l.weights, REDUCE_TASK);
            p->shared = l.chunks * l.weights * (int64_t)sizeof(float);
        }
    }
    return status;
}

/* Phase 0, a task is a chunk of the images. */
static int32_t backward_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    sgemm *gemm = (sgemm *)a->sgemm;
    for (int64_t chunk = begin; chunk < end; chunk++) {
        const int64_t first = chunk * l.images / l.chunks, stop = (chunk + 1) * l.images / l.chunks;
        float *sum = l.chunks > 1 ? (float *)a->shared + chunk * l.weights : a->grad_weight;
        if (l.chunks > 1) {
            conv2d_zero(sum, l.weights);
        }
        for (int64_t at = first * l.image, count; at < stop * l.image; at += count) {
            count = tarn_min(l.block, l.image - at % l.image);
            for (int64_t group = 0; group < a->groups; group++) {
                const float *rows = (const float *)a->input + group * l.gather.channels;
                if (l.direct) {
                    rows += at * a->ic;
                } else {
                    conv2d_im2row(&l.gather, rows, at, count, 0, l.depth, a->scratch, l.depth);
                    rows = a->scratch;
                }
                gemm(ROW_MAJOR, TRANSPOSED, PLAIN, (int32_t)l.depth, (int32_t)l.columns, (int32_t)count, 1, rows,
                        (int32_t)(l.direct ? a->ic : l.depth),
                        (const float *)a->grad_output + at * a->oc + group * l.columns, (int32_t)a->oc, 1,
                        sum + group * l.columns, (int32_t)a->oc);
            }
        }
    }
    return TARN_OK;
}

/* Phase 1, a task is a range of grad_weight: += the sums of all chunks, first to last. */
static int32_t reduce(const void *args, int64_t begin, int64_t end) {
    const tarn_conv2d_args *a = args;
    const layout l = layout_of(a);
    float *grad_weight = a->grad_weight;
    for (int64_t i = begin * REDUCE_TASK; i < tarn_min(end * REDUCE_TASK, l.weights); i++) {
        const float *partial = (const float *)a->shared + i;
        float sum = 0;
        for (int64_t chunk = 0; chunk < l.chunks; chunk++) {
            sum += partial[chunk * l.weights];
        }
        grad_weight[i] += sum;
    }
    return TARN_OK;
}
VARIANT(conv2d_backward_weight, conv2d, plan_backward_weight, backward_weight, reduce);
