/*
 * What tests of convolutions share: shapes, data with its sums in double, what each technique may err, and runs of a
 * variant with its tasks cut in every way.
 */
#ifndef TARN_CONV2D_CHECK_H
#define TARN_CONV2D_CHECK_H

#include "check.h"
#include "winograd_bound.h"

typedef struct {
    int64_t n, h, w, ic, oh, ow, oc, kh, kw, sh, sw, pt, pl, dh, dw, groups;
} shape;

/* A shape whose windows all lie inside the image padded by p on all sides. */
#define OUT(in, k, s, p, d) (((in) + 2 * (p) - (d) * ((k) - 1) - 1) / (s) + 1)
#define SQUARE(n, h, w, ic, oc, k, s, p, d, groups) \
    {n, h, w, ic, OUT(h, k, s, p, d), OUT(w, k, s, p, d), oc, k, k, s, s, p, p, d, d, groups}
#define LINEAR(n, in, out) SQUARE(n, 1, 1, in, out, 1, 1, 0, 1, 1)
/* One row of pixels and a 1x1 window: a matrix product of any height, depth and width. */
#define MATRIX(rows, depth, columns) {1, 1, rows, depth, 1, rows, columns, 1, 1, 1, 1, 0, 0, 1, 1, 1}

/*
 * Sums in double of one shape, with the sum of absolute terms and the longest sum of each tensor: what bounds the
 * error.
 */
typedef struct {
    int64_t input_count, weight_count, output_count;
    double *input, *weight, *bias, *residual, *grad_residual, *grad_output; /* data */
    double *output, *grad_input, *grad_weight;              /* without bias, residual, act */
    double *output_terms, *grad_input_terms, *grad_weight_terms;
} sums;

static inline double *zeros(int64_t count) {
    return memset(check_alloc_reals(TARN_F64, count), 0, (size_t)count * sizeof(double));
}

/* All three operations in one loop over all products: independent of how any kernel goes about it. */
static inline sums direct_sums(const shape *s) {
    const int64_t icg = s->ic / s->groups, ocg = s->oc / s->groups;
    sums d = {.input_count = s->n * s->h * s->w * s->ic, .weight_count = s->kh * s->kw * icg * s->oc,
            .output_count = s->n * s->oh * s->ow * s->oc};
    d.input = check_uniforms(d.input_count, -1, 1);
    d.weight = check_uniforms(d.weight_count, -1, 1);
    d.bias = check_uniforms(s->oc, -1, 1);
    d.residual = check_uniforms(d.output_count, -8, 8);
    d.grad_residual = check_uniforms(d.input_count, -8, 8);
    d.grad_output = check_uniforms(d.output_count, -1, 1);
    d.output = zeros(d.output_count);
    d.grad_input = zeros(d.input_count);
    d.grad_weight = zeros(d.weight_count);
    d.output_terms = zeros(d.output_count);
    d.grad_input_terms = zeros(d.input_count);
    d.grad_weight_terms = zeros(d.weight_count);
    for (int64_t n = 0; n < s->n; n++)
    for (int64_t y = 0; y < s->oh; y++)
    for (int64_t x = 0; x < s->ow; x++)
    for (int64_t i = 0; i < s->kh; i++)
    for (int64_t j = 0; j < s->kw; j++) {
        const int64_t iy = y * s->sh - s->pt + i * s->dh, ix = x * s->sw - s->pl + j * s->dw;
        if (iy < 0 || iy >= s->h || ix < 0 || ix >= s->w) {
            continue;
        }
        for (int64_t c = 0; c < icg; c++)
        for (int64_t o = 0; o < s->oc; o++) {
            const int64_t in = ((n * s->h + iy) * s->w + ix) * s->ic + o / ocg * icg + c;
            const int64_t we = ((i * s->kw + j) * icg + c) * s->oc + o, out = ((n * s->oh + y) * s->ow + x) * s->oc + o;
            d.output[out] += d.input[in] * d.weight[we];
            d.output_terms[out] += fabs(d.input[in] * d.weight[we]);
            d.grad_input[in] += d.grad_output[out] * d.weight[we];
            d.grad_input_terms[in] += fabs(d.grad_output[out] * d.weight[we]);
            d.grad_weight[we] += d.grad_output[out] * d.input[in];
            d.grad_weight_terms[we] += fabs(d.grad_output[out] * d.input[in]);
        }
    }
    return d;
}

/*
 * Bounds of sums of length terms whose absolute values add up to terms + more; double's own error is beside float's
 * nothing, and doubles the bound of double
 */
static inline double *bounds(int64_t dtype, const double *terms, double more, int64_t count, int64_t length) {
    double *b = check_alloc_reals(TARN_F64, count);
    for (int64_t i = 0; i < count; i++) {
        b[i] = (check_gamma(dtype, (double)length) + check_gamma(TARN_F64, (double)length)) * (terms[i] + more);
    }
    return b;
}

/*
 * What a variant may err at each element of its operation's result, by its technique. more: the largest bias and
 * residual together. A Winograd variant may choose either size of tiles.
 */
static inline double *bounds_of(const tarn_variant *v, const shape *s, const sums *d, double more) {
    const int forward = strcmp(v->op, "conv2d_forward") == 0, data = strcmp(v->op, "conv2d_backward_data") == 0;
    const int64_t count = forward ? d->output_count : data ? d->input_count : d->weight_count;
    if (strcmp(v->technique, "winograd") == 0) {
        const winograd_case c = {s->n, s->h, s->w, s->ic, s->oh, s->ow, s->oc, s->pt, s->pl, d->input, d->weight};
        double *bound[2];
        for (int i = 0; i < 2; i++) {
            const int64_t m = i ? 4 : 2, tiles = s->n * ((s->oh + m - 1) / m) * ((s->ow + m - 1) / m);
            const double *terms = forward ? winograd_terms(&c, m) : data ? winograd_turned_terms(&c, d->grad_output, m)
                                          : winograd_weight_terms(&c, d->grad_output, m);
            bound[i] = bounds(v->dtype, terms, more, count,
                    (forward ? s->ic : data ? s->oc : tiles) + WINOGRAD_ROUNDINGS);
        }
        for (int64_t i = 0; i < count; i++) {
            bound[0][i] = fmax(bound[0][i], bound[1][i]);
        }
        return bound[0];
    }
    return forward ? bounds(v->dtype, d->output_terms, more, count, s->kh * s->kw * s->ic / s->groups + 2)
            : data ? bounds(v->dtype, d->grad_input_terms, more, count, s->kh * s->kw * s->oc / s->groups + 2)
                   : bounds(v->dtype, d->grad_weight_terms, more, count, s->n * s->oh * s->ow + 1);
}

/* A plain cblas_sgemm: the BLAS variants are tested without OpenBLAS, for what they ask of it. */
static inline void plain_sgemm(int order, int trans_a, int trans_b, int32_t m, int32_t n, int32_t k, float alpha,
        const float *a,
        int32_t lda, const float *b, int32_t ldb, float beta, float *c, int32_t ldc) {
    CHECK(order == 101, "row-major");
    for (int64_t i = 0; i < m; i++) {
        for (int64_t j = 0; j < n; j++) {
            float sum = 0;
            for (int64_t p = 0; p < k; p++) {
                sum += a[trans_a == 112 ? p * lda + i : i * lda + p] * b[trans_b == 112 ? j * ldb + p : p * ldb + j];
            }
            c[i * ldc + j] = alpha * sum + (beta == 0 ? 0 : beta * c[i * ldc + j]);
        }
    }
}

static inline tarn_conv2d_args arguments(const shape *s) {
    return (tarn_conv2d_args){.n = s->n, .h = s->h, .w = s->w, .ic = s->ic, .oh = s->oh, .ow = s->ow, .oc = s->oc,
            .kh = s->kh,
            .kw = s->kw, .sh = s->sh, .sw = s->sw, .pt = s->pt, .pl = s->pl, .dh = s->dh, .dw = s->dw,
                    .groups = s->groups,
            .sgemm = (void *)plain_sgemm};
}

static inline void name_case(const shape *s) {
    check_case("n=%lld %lldx%lldx%lld -> %lldx%lldx%lld window %lldx%lld stride %lld,%lld pad %lld,%lld "
            "dilation %lld,%lld groups %lld", (long long)s->n, (long long)s->h, (long long)s->w, (long long)s->ic, (long long)s->oh,
                    (long long)s->ow,
            (long long)s->oc, (long long)s->kh, (long long)s->kw, (long long)s->sh, (long long)s->sw, (long long)s->pt,
            (long long)s->pl, (long long)s->dh, (long long)s->dw, (long long)s->groups);
}

/*
 * Runs v into a fresh tensor, at field, with the tasks cut in different ways, and once more with a weight that it may
 * prepare for later calls, if it takes that; NULL if it declines.
 */
static inline void *run_all_splits(const tarn_variant *v, tarn_conv2d_args *args, void **field, int64_t count) {
    const int64_t bytes = count * check_size(v->dtype);
    void *first = NULL;
    for (int run = 0; run <= CHECK_SPLITS; run++) {
        args->constant_weight = run == CHECK_SPLITS;
        *field = check_alloc(bytes);
        if (field == &args->grad_weight) {
            memset(*field, 0, (size_t)bytes);
        }
        if (!check_runs(v, args, run < CHECK_SPLITS ? (enum check_split)run : CHECK_RANDOM)) {
            break;
        }
        if (first) {
            check_bits("another split of the tasks, or a constant weight", *field, first, bytes);
        } else {
            first = *field;
        }
    }
    args->constant_weight = 0;
    return first;
}

/* The images one by one give the bits that they have in the batch. */
static inline void check_alone(const tarn_variant *v, const tarn_conv2d_args *batch, void *const *source, void *const *result,
        int64_t source_count, int64_t result_count) {
    const int64_t size = check_size(v->dtype), out = batch->oh * batch->ow * batch->oc * size;
    for (int64_t i = 0; i < batch->n && batch->n > 1; i++) {
        tarn_conv2d_args one = *batch;
        one.n = 1;
        if (batch->residual) {
            one.residual = (char *)batch->residual + i * out;
        }
        /* the fields at the same places in the copy */
        void **to = (void **)((char *)&one + ((const char *)result - (const char *)batch));
        void **from = (void **)((char *)&one + ((const char *)source - (const char *)batch));
        *from = (char *)*source + i * source_count * size;
        *to = check_alloc(result_count * size);
        if (check_runs(v, &one, CHECK_WHOLE)) {
            check_bits("an image alone", *to, (const char *)*result + i * result_count * size, result_count * size);
        }
    }
}

/* The first variant of an operation at the level and type of v that takes the arguments. */
static inline const tarn_variant *same_level(const char *op, const tarn_variant *v, const tarn_conv2d_args *args) {
    int64_t count;
    const tarn_variant *const *all = tarn_variants(&count);
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(all[i]->op, op) == 0 && all[i]->dtype == v->dtype && all[i]->level == v->level
                && check_plan(all[i], args) == TARN_OK) {
            return all[i];
        }
    }
    return NULL;
}

/* Forward runs without and with bias; with no activation, or a residual and ReLU or ReLU6. */
#define EPILOGUES 6

/* Runs one epilogue through a variant in every way: its error, its splits, images alone. */
static inline void check_forward(const tarn_variant *v, const shape *s, const sums *d, int epilogue) {
    const int bias = epilogue & 1, act = epilogue >> 1;
    tarn_conv2d_args args = arguments(s);
    args.input = check_reals(v->dtype, d->input, d->input_count);
    args.weight = check_reals(v->dtype, d->weight, d->weight_count);
    args.bias = bias ? check_reals(v->dtype, d->bias, s->oc) : NULL;
    args.residual = act ? check_reals(v->dtype, d->residual, d->output_count) : NULL;
    args.activation = act;
    void *output = run_all_splits(v, &args, &args.output, d->output_count);
    if (!output) {
        return;
    }
    double *want = check_alloc_reals(TARN_F64, d->output_count);
    for (int64_t k = 0; k < d->output_count; k++) {
        want[k] = d->output[k] + (bias ? d->bias[k % s->oc] : 0) + (act ? d->residual[k] : 0);
        want[k] = act ? fmin(fmax(want[k], 0), act == TARN_RELU6 ? 6 : INFINITY) : want[k];
    }
    check_within("output", v->dtype, output, want, bounds_of(v, s, d, bias + (act ? 8 : 0)), d->output_count);
    args.output = output;
    check_alone(v, &args, &args.input, &args.output, s->h * s->w * s->ic, s->oh * s->ow * s->oc);
}

/* Also that a second run adds to the first: twice the terms, in chains twice as long. gamma_2L < 2.05 gamma_L, L < 2^18. */
static inline void check_backward_weight(const tarn_variant *v, const shape *s, const sums *d) {
    tarn_conv2d_args args = arguments(s);
    args.grad_output = check_reals(v->dtype, d->grad_output, d->output_count);
    args.input = check_reals(v->dtype, d->input, d->input_count);
    void *grad_weight = run_all_splits(v, &args, &args.grad_weight, d->weight_count);
    if (!grad_weight) {
        return;
    }
    double *bound = bounds_of(v, s, d, 0), *twice = check_alloc_reals(TARN_F64, d->weight_count);
    check_within("grad_weight", v->dtype, grad_weight, d->grad_weight, bound, d->weight_count);
    for (int64_t k = 0; k < d->weight_count; k++) {
        twice[k] = 2 * d->grad_weight[k];
        bound[k] *= 2 * 2.05;
    }
    args.grad_weight = grad_weight;
    check_runs(v, &args, CHECK_RANDOM);
    check_within("grad_weight after two runs", v->dtype, grad_weight, twice, bound, d->weight_count);
}

static inline void check_backward_data(const tarn_variant *v, const shape *s, const sums *d) {
    tarn_conv2d_args args = arguments(s);
    args.grad_output = check_reals(v->dtype, d->grad_output, d->output_count);
    args.weight = check_reals(v->dtype, d->weight, d->weight_count);
    void *grad_input = run_all_splits(v, &args, &args.grad_input, d->input_count);
    if (grad_input) {
        check_within("grad_input", v->dtype, grad_input, d->grad_input, bounds_of(v, s, d, 0), d->input_count);
        args.grad_input = grad_input;
        check_alone(v, &args, &args.grad_output, &args.grad_input, s->oh * s->ow * s->oc, s->h * s->w * s->ic);
        args.residual = check_reals(v->dtype, d->grad_residual, d->input_count);
        grad_input = run_all_splits(v, &args, &args.grad_input, d->input_count);
        double *want = check_alloc_reals(TARN_F64, d->input_count);
        for (int64_t k = 0; k < d->input_count; k++) {
            want[k] = d->grad_input[k] + d->grad_residual[k];
        }
        check_within("grad_input with residual", v->dtype, grad_input, want, bounds_of(v, s, d, 8), d->input_count);
    }
}

#endif
