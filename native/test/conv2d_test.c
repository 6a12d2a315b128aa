/*
 * Convolution: every level, the reference included, against direct sums in double inside the bound of a dot product,
 * over sizes around the register tiles; the same bits for any split of the tasks and for an image alone and in a batch;
 * and identities.
 */
#include "check.h"

#include <stddef.h>

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

static const shape shapes[] = {
    /* tiles: rows, depth and columns around 6, 14 rows and 8, 16, 32 columns */
    MATRIX(1, 1, 1), MATRIX(5, 3, 7), MATRIX(6, 7, 8), MATRIX(7, 1, 9), MATRIX(13, 5, 15), MATRIX(14, 16, 16),
    MATRIX(15, 17, 17), MATRIX(27, 31, 31), MATRIX(28, 32, 32), MATRIX(29, 33, 33), MATRIX(16, 2, 47), MATRIX(12, 4,
    48),
    MATRIX(43, 13, 65), MATRIX(3, 769, 5), MATRIX(20, 385, 34), MATRIX(17, 1024, 3), MATRIX(131, 11, 5), MATRIX(1031,
    5, 3),
    LINEAR(1, 84, 10), LINEAR(5, 400, 120), LINEAR(2, 1, 1), LINEAR(3, 17, 130), LINEAR(64, 120, 84),
    /* layers of known networks, small */
    SQUARE(2, 28, 28, 1, 6, 5, 1, 2, 1, 1), SQUARE(3, 14, 14, 6, 16, 5, 1, 0, 1, 1), SQUARE(2, 19, 17, 3, 37, 7, 2, 3,
    1, 1),
    SQUARE(1, 9, 9, 64, 64, 3, 1, 1, 1, 1), SQUARE(2, 4, 4, 129, 33, 3, 1, 1, 1, 1), SQUARE(2, 8, 8, 32, 65, 3, 2, 1,
    1, 1),
    SQUARE(3, 8, 8, 24, 40, 1, 2, 0, 1, 1), SQUARE(4, 5, 5, 3, 4, 3, 1, 1, 1, 1), SQUARE(5, 7, 3, 2, 5, 3, 1, 1, 1, 1),
    SQUARE(2, 40, 33, 3, 8, 3, 1, 1, 1, 1),
    /* stride beyond the window, padding beyond the window, dilation */
    SQUARE(2, 11, 13, 3, 5, 2, 3, 0, 1, 1), SQUARE(1, 9, 9, 4, 4, 1, 4, 0, 1, 1), SQUARE(2, 3, 4, 3, 7, 3, 1, 5, 1, 1),
    SQUARE(2, 3, 3, 5, 3, 2, 3, 4, 1, 1), SQUARE(1, 2, 2, 3, 3, 5, 1, 2, 1, 1), SQUARE(2, 12, 11, 3, 18, 3, 1, 2, 2, 1),
    SQUARE(1, 13, 12, 2, 3, 3, 2, 3, 3, 1), SQUARE(2, 17, 16, 3, 3, 4, 6, 5, 4, 1), SQUARE(1, 10, 10, 2, 2, 3, 4, 1, 6,
    1),
    /* windows, strides, padding and dilation that differ by axis; padding that differs by side */
    {2, 7, 9, 5, 9, 6, 11, 3, 2, 1, 2, 2, 0, 1, 3, 1}, {1, 6, 5, 3, 6, 5, 3, 4, 4, 1, 1, 1, 2, 1, 1, 1},
    {2, 5, 5, 2, 9, 1, 3, 1, 5, 1, 7, 3, 1, 2, 1, 1}, {1, 4, 4, 3, 3, 3, 2, 2, 2, 3, 3, 0, 7, 1, 1, 1},
    {1, 5, 6, 2, 4, 4, 3, 3, 3, 5, 5, 0, 0, 1, 1, 1}, {2, 1, 8, 3, 1, 8, 4, 1, 3, 9, 1, 0, 1, 1, 1, 1},
    /* few channels: lines around one and two vectors, and of several visits; stride and dilation between lines */
    SQUARE(2, 5, 7, 1, 6, 5, 1, 2, 1, 1), SQUARE(2, 5, 8, 1, 5, 3, 1, 1, 1, 1), SQUARE(2, 6, 9, 2, 6, 3, 1, 1, 1, 1),
    SQUARE(2, 4, 1, 1, 6, 3, 1, 1, 1, 1), SQUARE(2, 7, 15, 3, 5, 3, 1, 1, 1, 1), SQUARE(2, 5, 16, 1, 1, 3, 1, 1, 1, 1),
    SQUARE(2, 5, 17, 4, 8, 3, 1, 1, 1, 1), SQUARE(3, 6, 19, 2, 7, 3, 1, 1, 1, 1), SQUARE(1, 6, 35, 3, 3, 5, 1, 2, 1, 1),
    SQUARE(2, 5, 20, 1, 16, 3, 1, 1, 1, 1), SQUARE(3, 5, 18, 2, 4, 8, 1, 5, 1, 1), SQUARE(1, 40, 130, 2, 8, 3, 1, 1, 1, 1),
    {2, 9, 16, 1, 5, 17, 6, 3, 2, 2, 1, 1, 0, 1, 1, 1}, {2, 11, 20, 3, 4, 18, 5, 3, 3, 2, 1, 2, 0, 2, 1, 1},
    {3, 12, 19, 1, 12, 24, 2, 4, 5, 1, 1, 3, 7, 3, 1, 1}, {2, 30, 12, 2, 7, 16, 6, 2, 3, 4, 1, 0, 3, 4, 1, 1},
    {1, 3, 4, 1, 5, 33, 3, 2, 2, 1, 1, 1, 20, 1, 1, 1}, {1, 2, 3, 2, 6, 16, 4, 3, 3, 1, 1, 7, 40, 2, 1, 1},
    /* groups and depthwise */
    SQUARE(2, 6, 7, 4, 6, 3, 1, 1, 1, 2), SQUARE(3, 5, 5, 6, 9, 3, 2, 1, 1, 3), SQUARE(1, 6, 6, 40, 72, 1, 1, 0, 1, 2),
    SQUARE(2, 5, 4, 66, 34, 3, 1, 1, 1, 2), SQUARE(2, 7, 7, 5, 10, 3, 1, 1, 1, 5), SQUARE(2, 9, 9, 16, 16, 3, 1, 1, 1,
    16),
    SQUARE(2, 8, 9, 35, 35, 3, 2, 1, 1, 35), SQUARE(1, 9, 8, 70, 70, 5, 1, 2, 2, 70), SQUARE(5, 6, 5, 7, 7, 2, 3, 2, 1,
    7),
    SQUARE(1, 3, 3, 8, 8, 3, 5, 6, 2, 8), SQUARE(1, 33, 40, 33, 33, 3, 1, 1, 1, 33), SQUARE(1, 5, 6, 1, 1, 3, 1, 1, 1,
    1),
};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

/*
 * Sums in double of one shape, with the sum of absolute terms and the longest sum of each tensor: what bounds the
 * error.
 */
typedef struct {
    int64_t input_count, weight_count, output_count;
    double *input, *weight, *bias, *residual, *grad_output; /* data */
    double *output, *grad_input, *grad_weight;              /* without bias, residual, act */
    double *output_terms, *grad_input_terms, *grad_weight_terms;
} sums;

static double *zeros(int64_t count) {
    return memset(check_alloc_reals(TARN_F64, count), 0, (size_t)count * sizeof(double));
}

/* All three operations in one loop over all products: independent of how any kernel goes about it. */
static sums direct_sums(const shape *s) {
    const int64_t icg = s->ic / s->groups, ocg = s->oc / s->groups;
    sums d = {.input_count = s->n * s->h * s->w * s->ic, .weight_count = s->kh * s->kw * icg * s->oc,
            .output_count = s->n * s->oh * s->ow * s->oc};
    d.input = check_uniforms(d.input_count, -1, 1);
    d.weight = check_uniforms(d.weight_count, -1, 1);
    d.bias = check_uniforms(s->oc, -1, 1);
    d.residual = check_uniforms(d.output_count, -8, 8);
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
static double *bounds(int64_t dtype, const double *terms, double more, int64_t count, int64_t length) {
    double *b = check_alloc_reals(TARN_F64, count);
    for (int64_t i = 0; i < count; i++) {
        b[i] = (check_gamma(dtype, (double)length) + check_gamma(TARN_F64, (double)length)) * (terms[i] + more);
    }
    return b;
}

/* A plain cblas_sgemm: the BLAS variants are tested without OpenBLAS, for what they ask of it. */
static void plain_sgemm(int order, int trans_a, int trans_b, int32_t m, int32_t n, int32_t k, float alpha,
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

static tarn_conv2d_args arguments(const shape *s) {
    return (tarn_conv2d_args){.n = s->n, .h = s->h, .w = s->w, .ic = s->ic, .oh = s->oh, .ow = s->ow, .oc = s->oc,
            .kh = s->kh,
            .kw = s->kw, .sh = s->sh, .sw = s->sw, .pt = s->pt, .pl = s->pl, .dh = s->dh, .dw = s->dw,
                    .groups = s->groups,
            .sgemm = (void *)plain_sgemm};
}

static void name_case(const shape *s) {
    check_case("n=%lld %lldx%lldx%lld -> %lldx%lldx%lld window %lldx%lld stride %lld,%lld pad %lld,%lld "
            "dilation %lld,%lld groups %lld", (long long)s->n, (long long)s->h, (long long)s->w, (long long)s->ic, (long long)s->oh,
                    (long long)s->ow,
            (long long)s->oc, (long long)s->kh, (long long)s->kw, (long long)s->sh, (long long)s->sw, (long long)s->pt,
            (long long)s->pl, (long long)s->dh, (long long)s->dw, (long long)s->groups);
}

/* Runs v into a fresh tensor, at field, three times with the tasks cut in different ways; NULL if it declines. */
static void *run_all_splits(const tarn_variant *v, tarn_conv2d_args *args, void **field, int64_t count) {
    const int64_t bytes = count * check_size(v->dtype);
    void *first = NULL;
    for (int split = 0; split < CHECK_SPLITS; split++) {
        *field = check_alloc(bytes);
        if (field == &args->grad_weight) {
            memset(*field, 0, (size_t)bytes);
        }
        if (!check_runs(v, args, (enum check_split)split)) {
            return NULL;
        }
        if (first) {
            check_bits("another split of the tasks", *field, first, bytes);
        } else {
            first = *field;
        }
    }
    return first;
}

/* The images one by one give the bits that they have in the batch. */
static void check_alone(const tarn_variant *v, const tarn_conv2d_args *batch, void *const *source, void *const *result,
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

static void forward_is_within_the_bound_of_a_dot_product(void) {
    for (int i = 0; i < SHAPES; i++) {
        const shape *s = &shapes[i];
        name_case(s);
        sums d = direct_sums(s);
        const int64_t depth = s->kh * s->kw * s->ic / s->groups;
        for (int epilogue = 0; epilogue < 6; epilogue++) { /* with and without bias; no act, residual and act */
            const int bias = epilogue & 1, act = epilogue >> 1;
            double *want = check_alloc_reals(TARN_F64, d.output_count);
            for (int64_t k = 0; k < d.output_count; k++) {
                want[k] = d.output[k] + (bias ? d.bias[k % s->oc] : 0) + (act ? d.residual[k] : 0);
                want[k] = act ? fmin(fmax(want[k], 0), act == TARN_RELU6 ? 6 : INFINITY) : want[k];
            }
            CHECK_EACH(v, "conv2d_forward") {
                tarn_conv2d_args args = arguments(s);
                args.input = check_reals(v->dtype, d.input, d.input_count);
                args.weight = check_reals(v->dtype, d.weight, d.weight_count);
                args.bias = bias ? check_reals(v->dtype, d.bias, s->oc) : NULL;
                args.residual = act ? check_reals(v->dtype, d.residual, d.output_count) : NULL;
                args.activation = act;
                void *output = run_all_splits(v, &args, &args.output, d.output_count);
                if (output) {
                    check_within("output", v->dtype, output, want,
                            bounds(v->dtype, d.output_terms, bias + (act ? 8 : 0), d.output_count, depth + 2),
                            d.output_count);
                    args.output = output;
                    check_alone(v, &args, &args.input, &args.output, s->h * s->w * s->ic, s->oh * s->ow * s->oc);
                }
            }
        }
        check_release();
    }
}

static void backward_data_is_within_the_bound_of_a_dot_product(void) {
    for (int i = 0; i < SHAPES; i++) {
        const shape *s = &shapes[i];
        name_case(s);
        sums d = direct_sums(s);
        CHECK_EACH(v, "conv2d_backward_data") {
            tarn_conv2d_args args = arguments(s);
            args.grad_output = check_reals(v->dtype, d.grad_output, d.output_count);
            args.weight = check_reals(v->dtype, d.weight, d.weight_count);
            void *grad_input = run_all_splits(v, &args, &args.grad_input, d.input_count);
            if (grad_input) {
                check_within("grad_input", v->dtype, grad_input, d.grad_input, bounds(v->dtype, d.grad_input_terms,
                        0, d.input_count, s->kh * s->kw * s->oc / s->groups + 1), d.input_count);
                args.grad_input = grad_input;
                check_alone(v, &args, &args.grad_output, &args.grad_input, s->oh * s->ow * s->oc, s->h * s->w * s->ic);
            }
        }
        check_release();
    }
}

static void backward_weight_accumulates_within_the_bound_of_a_dot_product(void) {
    for (int i = 0; i < SHAPES; i++) {
        const shape *s = &shapes[i];
        name_case(s);
        sums d = direct_sums(s);
        double *twice = check_alloc_reals(TARN_F64, d.weight_count);
        double *twice_terms = check_alloc_reals(TARN_F64, d.weight_count);
        for (int64_t k = 0; k < d.weight_count; k++) {
            twice[k] = 2 * d.grad_weight[k];
            twice_terms[k] = 2 * d.grad_weight_terms[k];
        }
        CHECK_EACH(v, "conv2d_backward_weight") {
            const int64_t length = s->n * s->oh * s->ow + 1;
            tarn_conv2d_args args = arguments(s);
            args.grad_output = check_reals(v->dtype, d.grad_output, d.output_count);
            args.input = check_reals(v->dtype, d.input, d.input_count);
            void *grad_weight = run_all_splits(v, &args, &args.grad_weight, d.weight_count);
            if (grad_weight) {
                check_within("grad_weight", v->dtype, grad_weight, d.grad_weight,
                        bounds(v->dtype, d.grad_weight_terms, 0, d.weight_count, length), d.weight_count);
                args.grad_weight = grad_weight;
                check_runs(v, &args, CHECK_RANDOM);
                check_within("grad_weight after two runs", v->dtype, grad_weight, twice,
                        bounds(v->dtype, twice_terms, 0, d.weight_count, 2 * length), d.weight_count);
            }
        }
        check_release();
    }
}

static double inner(int64_t dtype, const void *a, const double *b, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += check_get(dtype, a, i) * b[i];
    }
    return sum;
}

/* The variant of another operation at the level and type of v. */
static const tarn_variant *same_level(const char *op, const tarn_variant *v) {
    int64_t count;
    const tarn_variant *const *all = tarn_variants(&count);
    for (int64_t i = 0; i < count; i++) {
        if (strcmp(all[i]->op, op) == 0 && all[i]->dtype == v->dtype && all[i]->level == v->level) {
            return all[i];
        }
    }
    CHECK(0, "no %s at this level", op);
    return v;
}

/* <conv(X, W), G> = <X, backward_data(G, W)> = <W, backward_weight(X, G)>: METHODS C4 and C5. */
static void gradients_are_adjoint_to_the_convolution(void) {
    for (int i = 0; i < SHAPES; i++) {
        const shape *s = &shapes[i];
        name_case(s);
        sums d = direct_sums(s);
        double terms = 0; /* of the triple sum */
        for (int64_t k = 0; k < d.output_count; k++) {
            terms += d.output_terms[k] * fabs(d.grad_output[k]);
        }
        const double length = (double)(s->kh * s->kw * (s->ic > s->oc ? s->ic : s->oc) + s->n * s->oh * s->ow);
        CHECK_EACH(v, "conv2d_forward") {
            tarn_conv2d_args args = arguments(s);
            args.input = check_reals(v->dtype, d.input, d.input_count);
            args.weight = check_reals(v->dtype, d.weight, d.weight_count);
            args.grad_output = check_reals(v->dtype, d.grad_output, d.output_count);
            args.output = check_alloc_reals(v->dtype, d.output_count);
            args.grad_input = check_alloc_reals(v->dtype, d.input_count);
            args.grad_weight = check_reals(v->dtype, zeros(d.weight_count), d.weight_count);
            const tarn_variant *data = same_level("conv2d_backward_data", v);
            const tarn_variant *weight = same_level("conv2d_backward_weight", v);
            if (!check_runs(v, &args, CHECK_WHOLE)) {
                continue;
            }
            const double want = inner(v->dtype, args.output, d.grad_output, d.output_count);
            const double bound = 2 * (check_gamma(v->dtype, length) + check_gamma(TARN_F64,
                    length * 10)) * terms + FLT_MIN;
            if (check_runs(data, &args, CHECK_WHOLE)) {
                const double got = inner(v->dtype, args.grad_input, d.input, d.input_count);
                CHECK(fabs(got - want) <= bound, "<X, dX> is %.9g, <Y, G> is %.9g", got, want);
            }
            if (check_runs(weight, &args, CHECK_WHOLE)) {
                const double got = inner(v->dtype, args.grad_weight, d.weight, d.weight_count);
                CHECK(fabs(got - want) <= bound, "<W, dW> is %.9g, <Y, G> is %.9g", got, want);
            }
        }
        check_release();
    }
}

/* METHODS C6 and C9, bit for bit. Not asked of OpenBLAS, whose sums depend on the place of a row in the matrix. */
static void stride_skips_and_padding_is_zeros(void) {
    enum { H = 11, W = 9, IC = 5, OC = 19, K = 3, P = 2 };
    const shape padded = SQUARE(2, H, W, IC, OC, K, 1, P, 1, 1), strided = SQUARE(2, H, W, IC, OC, K, 2, P, 1, 1);
    const shape valid = SQUARE(2, H + 2 * P, W + 2 * P, IC, OC, K, 1, 0, 1, 1);
    sums d = direct_sums(&padded);
    double *framed = zeros(2 * (H + 2 * P) * (W + 2 * P) * IC);
    for (int64_t n = 0; n < 2; n++) {
        for (int64_t y = 0; y < H; y++) {
            memcpy(framed + ((n * (H + 2 * P) + y + P) * (W + 2 * P) + P) * IC, d.input + (n * H + y) * W * IC,
                    W * IC * sizeof(double));
        }
    }
    CHECK_EACH(v, "conv2d_forward") {
        if (v->level == TARN_BLAS) {
            continue;
        }
        const int64_t size = check_size(v->dtype);
        void *weight = check_reals(v->dtype, d.weight, d.weight_count), *input = check_reals(v->dtype, d.input,
                d.input_count);
        tarn_conv2d_args one = arguments(&padded), two = arguments(&strided), three = arguments(&valid);
        one.weight = two.weight = three.weight = weight;
        one.input = two.input = input;
        three.input = check_reals(v->dtype, framed, 2 * (H + 2 * P) * (W + 2 * P) * IC);
        one.output = check_alloc(d.output_count * size);
        two.output = check_alloc(2 * two.oh * two.ow * OC * size);
        three.output = check_alloc(d.output_count * size);
        if (!check_runs(v, &one, CHECK_WHOLE)) {
            continue;
        }
        check_runs(v, &two, CHECK_WHOLE);
        check_runs(v, &three, CHECK_WHOLE);
        check_bits("padding written out", three.output, one.output, d.output_count * size);
        for (int64_t n = 0; n < 2; n++) {
            for (int64_t y = 0; y < two.oh; y++) {
                for (int64_t x = 0; x < two.ow; x++) {
                    check_bits("every second pixel", (char *)two.output + ((n * two.oh + y) * two.ow + x) * OC * size,
                            (char *)one.output + ((n * one.oh + 2 * y) * one.ow + 2 * x) * OC * size, OC * size);
                }
            }
        }
    }
}

static void nan_passes_through_relu(void) {
    /* many output channels; few channels and 17 windows of 17 columns */
    const shape cases[] = {SQUARE(1, 3, 3, 2, 21, 3, 1, 1, 1, 1), {1, 3, 17, 2, 3, 17, 6, 3, 17, 1, 1, 1, 8, 1, 1, 1}};
    for (int k = 0; k < 2; k++) {
        const shape *s = &cases[k];
        sums d = direct_sums(s);
        d.input[(s->h / 2 * s->w + s->w / 2) * s->ic] = NAN; /* the centre: every window sees it */
        CHECK_EACH(v, "conv2d_forward") {
            tarn_conv2d_args args = arguments(s);
            args.input = check_reals(v->dtype, d.input, d.input_count);
            args.weight = check_reals(v->dtype, d.weight, d.weight_count);
            args.output = check_alloc_reals(v->dtype, d.output_count);
            args.activation = 1;
            if (check_runs(v, &args, CHECK_WHOLE)) {
                for (int64_t i = 0; i < d.output_count; i++) {
                    CHECK(isnan(check_get(v->dtype, args.output, i)), "output[%lld]", (long long)i);
                }
            }
        }
    }
}

/* The variant after v at the same level, or NULL. */
static const tarn_variant *next_of_level(const tarn_variant *v) {
    const tarn_variant *next = check_next(v->op, v);
    return next && next->level == v->level && next->dtype == v->dtype ? next : NULL;
}

static void few_channels_have_their_own_variant_with_the_bits_of_the_general_one(void) {
    const shape first = SQUARE(2, 28, 28, 1, 6, 5, 1, 2, 1, 1), second = SQUARE(2, 14, 14, 6, 16, 5, 1, 0, 1, 1);
    sums d = direct_sums(&first);
    CHECK_EACH(v, "conv2d_forward") {
        const tarn_variant *general = next_of_level(v);
        if (!general) {
            continue;
        }
        CHECK(strcmp(v->technique, "few_channels") == 0 && !*general->technique, "the special variant comes first");
        tarn_conv2d_args one = arguments(&first), two, other = arguments(&second);
        one.input = other.input = check_reals(v->dtype, d.input, d.input_count);
        one.weight = other.weight = check_reals(v->dtype, d.weight, d.weight_count);
        one.bias = check_reals(v->dtype, d.bias, first.oc);
        one.output = other.output = check_alloc_reals(v->dtype, d.output_count);
        one.activation = 1;
        CHECK(check_plan(v, &other) == TARN_DECLINED, "16 output channels");
        two = one;
        two.output = check_alloc_reals(v->dtype, d.output_count);
        CHECK(check_run(v, &one, CHECK_WHOLE) == TARN_OK, "LeNet's first layer");
        CHECK(check_run(general, &two, CHECK_WHOLE) == TARN_OK, "LeNet's first layer");
        check_bits("the general variant", one.output, two.output, d.output_count * check_size(v->dtype));
    }
    int special = 0;
    CHECK_EACH(v, "conv2d_backward_weight") {
        if (strcmp(v->technique, "few_channels") == 0) {
            tarn_conv2d_args args = arguments(&first), other = arguments(&second);
            args.input = args.grad_output = args.grad_weight = other.input = other.grad_output = other.grad_weight = &d;
            CHECK(check_plan(v, &args) == TARN_OK, "LeNet's first layer");
            CHECK(check_plan(v, &other) == TARN_DECLINED, "16 output channels");
            special++;
        }
    }
    const int want = tarn_cpu_level() == TARN_AVX512 ? 2 : tarn_cpu_level() == TARN_AVX2;
    CHECK(special == want, "%d levels of %d have a special variant", special, want);
}

/* Pixels beyond the end of a line are in no sum: an infinite one must not make NaN of zeros. */
static void infinite_pixels_reach_only_their_taps(void) {
    const shape s = {1, 2, 21, 1, 2, 18, 3, 1, 4, 1, 1, 0, 0, 1, 1, 1};
    sums d = direct_sums(&s);
    d.input[20] = INFINITY; /* the last column: only the last tap meets it, at the last pixel */
    for (int64_t o = 0; o < s.oc; o++) {
        d.grad_output[17 * s.oc + o] = 1;
    }
    CHECK_EACH(v, "conv2d_backward_weight") {
        tarn_conv2d_args args = arguments(&s);
        args.input = check_reals(v->dtype, d.input, d.input_count);
        args.grad_output = check_reals(v->dtype, d.grad_output, d.output_count);
        args.grad_weight = check_reals(v->dtype, zeros(d.weight_count), d.weight_count);
        if (check_runs(v, &args, CHECK_WHOLE)) {
            for (int64_t k = 0; k < d.weight_count; k++) {
                const double got = check_get(v->dtype, args.grad_weight, k);
                CHECK(k < 3 * s.oc ? isfinite(got) : got == INFINITY, "grad_weight[%lld] is %g", (long long)k, got);
            }
        }
    }
}

static const char *const ops[] = {"conv2d_forward", "conv2d_backward_data", "conv2d_backward_weight"};

static void nonsense_of(const shape s) {
    float memory[1] = {0};
    const size_t sizes[] = {offsetof(tarn_conv2d_args, h), offsetof(tarn_conv2d_args, w), offsetof(tarn_conv2d_args,
            ic),
            offsetof(tarn_conv2d_args, oh), offsetof(tarn_conv2d_args, ow), offsetof(tarn_conv2d_args, oc),
            offsetof(tarn_conv2d_args, kh), offsetof(tarn_conv2d_args, kw), offsetof(tarn_conv2d_args, sh),
            offsetof(tarn_conv2d_args, sw), offsetof(tarn_conv2d_args, dh), offsetof(tarn_conv2d_args, dw),
            offsetof(tarn_conv2d_args, groups)};
    const int64_t absurd[] = {0, -1, INT64_MIN, INT64_MAX};
    const size_t needed[][3] = {
        {offsetof(tarn_conv2d_args, input), offsetof(tarn_conv2d_args, weight), offsetof(tarn_conv2d_args, output)},
        {offsetof(tarn_conv2d_args, grad_output), offsetof(tarn_conv2d_args, weight), offsetof(tarn_conv2d_args,
                grad_input)},
        {offsetof(tarn_conv2d_args, grad_output), offsetof(tarn_conv2d_args, input), offsetof(tarn_conv2d_args,
                grad_weight)}};
    for (int op = 0; op < 3; op++) {
        CHECK_EACH(v, ops[op]) {
            tarn_conv2d_args good = arguments(&s), args;
            for (int k = 0; k < 3; k++) {
                *(void **)((char *)&good + needed[op][k]) = memory;
            }
            const int32_t status = check_plan(v, &good);
            CHECK(status == TARN_OK || (status == TARN_DECLINED && (v->level == TARN_BLAS || *v->technique)),
                    "good arguments: %d", status);
            args = good;
            args.n = 0;
            CHECK(check_plan(v, &args) == status, "an empty batch");
            CHECK(check_run(v, &args, CHECK_WHOLE) == status, "an empty batch runs");
            for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
                for (int value = 0; value < 4; value++) {
                    args = good;
                    *(int64_t *)((char *)&args + sizes[k]) = absurd[value];
                    CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "size %d is %lld", (int)k,
                            (long long)absurd[value]);
                }
            }
            for (int k = 0; k < 3; k++) {
                args = good;
                *(void **)((char *)&args + needed[op][k]) = NULL;
                CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "pointer %d is null", k);
            }
            args = good;
            args.n = -1;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "n = -1");
            args = good;
            args.groups = 3;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "3 groups of 4 input channels");
            args = good;
            args.pt = -1;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "pt = -1");
            args = good;
            args.pl = INT64_MAX;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "pl = 2^63 - 1");
            args = good;
            args.activation = 3;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "activation = 3");
            args = good;
            args.h = args.w = args.ic = args.n = (int64_t)1 << 20;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "2^80 elements");
        }
    }
}

static void nonsense_is_refused(void) {
    nonsense_of((shape)SQUARE(1, 5, 5, 4, 6, 3, 1, 1, 1, 2));
    nonsense_of((shape)SQUARE(1, 5, 20, 4, 6, 3, 1, 1, 1, 1));
}

/* Strides, padding and dilation near the largest that plan accepts: nothing overflows, nothing outside is read. */
static void far_away_windows_read_zeros(void) {
    const int64_t far = (int64_t)1 << 40;
    const shape cases[] = {{1, 3, 3, 2, 2, 2, 3, 2, 2, far, far, 0, 0, 1, 1, 1}, {1, 3, 3, 2, 2, 2, 3, 2, 2, 1, 1, far,
            far, 1, 1, 1},
            {1, 3, 3, 2, 2, 2, 3, 2, 2, 1, 1, 0, 0, far, far, 1}, {1, 3, 3, 4, 2, 2, 4, 2, 2, far, 2, far, 1, far, 3,
                    4},
            {1, 3, 9, 2, 2, 17, 3, 2, 2, 1, 1, far, far, 1, 1, 1}, {1, 3, 9, 2, 2, 17, 3, 2, 2, 1, 1, 1, far, 1, 1, 1}};
    for (int i = 0; i < 6; i++) {
        name_case(&cases[i]);
        sums d = direct_sums(&cases[i]);
        for (int op = 0; op < 3; op++) {
            CHECK_EACH(v, ops[op]) {
                tarn_conv2d_args args = arguments(&cases[i]);
                args.input = check_reals(v->dtype, d.input, d.input_count);
                args.weight = check_reals(v->dtype, d.weight, d.weight_count);
                args.grad_output = check_reals(v->dtype, d.grad_output, d.output_count);
                args.output = check_alloc_reals(v->dtype, d.output_count);
                args.grad_input = check_alloc_reals(v->dtype, d.input_count);
                args.grad_weight = check_reals(v->dtype, zeros(d.weight_count), d.weight_count);
                if (check_runs(v, &args, CHECK_SINGLE)) {
                    const int64_t count = op == 0 ? d.output_count : op == 1 ? d.input_count : d.weight_count;
                    check_within(ops[op], v->dtype,
                            op == 0 ? args.output : op == 1 ? args.grad_input : args.grad_weight,
                            op == 0 ? d.output : op == 1 ? d.grad_input : d.grad_weight,
                            bounds(v->dtype,
                                    op == 0 ? d.output_terms : op == 1 ? d.grad_input_terms : d.grad_weight_terms,
                                    0, count, 40), count);
                }
            }
        }
        check_release();
    }
}

CHECK_MAIN({"forward_is_within_the_bound_of_a_dot_product", forward_is_within_the_bound_of_a_dot_product},
        {"backward_data_is_within_the_bound_of_a_dot_product", backward_data_is_within_the_bound_of_a_dot_product},
        {"backward_weight_accumulates_within_the_bound_of_a_dot_product",
                backward_weight_accumulates_within_the_bound_of_a_dot_product},
        {"gradients_are_adjoint_to_the_convolution", gradients_are_adjoint_to_the_convolution},
        {"stride_skips_and_padding_is_zeros", stride_skips_and_padding_is_zeros},
        {"nan_passes_through_relu", nan_passes_through_relu},
        {"few_channels_have_their_own_variant_with_the_bits_of_the_general_one",
                few_channels_have_their_own_variant_with_the_bits_of_the_general_one},
        {"infinite_pixels_reach_only_their_taps", infinite_pixels_reach_only_their_taps},
        {"nonsense_is_refused", nonsense_is_refused},
        {"far_away_windows_read_zeros", far_away_windows_read_zeros})
