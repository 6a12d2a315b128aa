/*
 * Convolution: every level, the reference included, against direct sums in double inside the bound of a dot product,
 * over sizes around the register tiles; the same bits for any split of the tasks and for an image alone and in a batch;
 * and identities.
 */
#include "conv2d_check.h"

#include <stddef.h>

static const shape shapes[] = {
    /* tiles: rows, depth and columns around 6, 14 rows and 8, 16, 32 columns */
    MATRIX(1, 1, 1), MATRIX(5, 3, 7), MATRIX(6, 7, 8), MATRIX(7, 1, 9), MATRIX(13, 5, 15), MATRIX(14, 16, 16),
    MATRIX(15, 17, 17), MATRIX(27, 31, 31), MATRIX(28, 32, 32), MATRIX(29, 33, 33), MATRIX(16, 2, 47), MATRIX(12, 4,
    48),
    MATRIX(43, 13, 65), MATRIX(3, 769, 5), MATRIX(20, 385, 34), MATRIX(17, 1024, 3), MATRIX(131, 11, 5), MATRIX(1031,
    5, 3),
    /* wide ones: enough panels for 16 tasks, one column more, several pieces of panels and of the depth */
    LINEAR(1, 512, 512), LINEAR(15, 385, 513), LINEAR(5, 513, 400), LINEAR(2, 4200, 3), LINEAR(3, 2, 4200),
    LINEAR(175, 130, 528),
    LINEAR(1, 84, 10), LINEAR(5, 400, 120), LINEAR(2, 1, 1), LINEAR(3, 17, 130), LINEAR(64, 120, 84),
    /* layers of known networks, small */
    SQUARE(2, 28, 28, 1, 6, 5, 1, 2, 1, 1), SQUARE(3, 14, 14, 6, 16, 5, 1, 0, 1, 1), SQUARE(2, 19, 17, 3, 37, 7, 2, 3,
    1, 1),
    SQUARE(1, 9, 9, 64, 64, 3, 1, 1, 1, 1), SQUARE(2, 4, 4, 129, 33, 3, 1, 1, 1, 1), SQUARE(2, 8, 8, 32, 65, 3, 2, 1,
    1, 1),
    SQUARE(3, 8, 8, 24, 40, 1, 2, 0, 1, 1), SQUARE(4, 5, 5, 3, 4, 3, 1, 1, 1, 1), SQUARE(5, 7, 3, 2, 5, 3, 1, 1, 1, 1),
    SQUARE(2, 40, 33, 3, 8, 3, 1, 1, 1, 1),
    /* lines of more than a tile: windows over strides, runs longer and shorter than a step of the depth */
    SQUARE(2, 29, 27, 3, 37, 7, 2, 3, 1, 1), SQUARE(2, 31, 28, 20, 34, 3, 2, 1, 1, 1),
    SQUARE(1, 5, 27, 130, 33, 3, 2, 1, 1, 1), SQUARE(3, 4, 14, 43, 17, 3, 1, 1, 1, 1),
    {2, 9, 40, 5, 7, 13, 21, 4, 3, 2, 2, 3, 1, 2, 1, 1},
    /* stride beyond the window, padding beyond the window, dilation */
    SQUARE(2, 11, 13, 3, 5, 2, 3, 0, 1, 1), SQUARE(1, 9, 9, 4, 4, 1, 4, 0, 1, 1), SQUARE(2, 3, 4, 3, 7, 3, 1, 5, 1, 1),
    SQUARE(2, 3, 3, 5, 3, 2, 3, 4, 1, 1), SQUARE(1, 2, 2, 3, 3, 5, 1, 2, 1, 1), SQUARE(2, 12, 11, 3, 18, 3, 1, 2, 2, 1),
    SQUARE(1, 13, 12, 2, 3, 3, 2, 3, 3, 1), SQUARE(2, 17, 16, 3, 3, 4, 6, 5, 4, 1), SQUARE(1, 10, 10, 2, 2, 3, 4, 1, 6,
    1),
    /* windows, strides, padding and dilation that differ by axis; padding that differs by side */
    {2, 7, 9, 5, 9, 6, 11, 3, 2, 1, 2, 2, 0, 1, 3, 1}, {1, 6, 5, 3, 6, 5, 3, 4, 4, 1, 1, 1, 2, 1, 1, 1},
    {2, 5, 5, 2, 9, 1, 3, 1, 5, 1, 7, 3, 1, 2, 1, 1}, {1, 4, 4, 3, 3, 3, 2, 2, 2, 3, 3, 0, 7, 1, 1, 1},
    {1, 5, 6, 2, 4, 4, 3, 3, 3, 5, 5, 0, 0, 1, 1, 1}, {2, 1, 8, 3, 1, 8, 4, 1, 3, 9, 1, 0, 1, 1, 1, 1},
    /* stride 2 with padding below and on the right alone, TensorFlow's: many channels, few, first layers, depthwise */
    {2, 8, 10, 24, 4, 5, 40, 3, 3, 2, 2, 0, 0, 1, 1, 1}, {2, 7, 30, 20, 4, 15, 33, 3, 3, 2, 2, 0, 0, 1, 1, 1},
    {2, 16, 34, 3, 8, 17, 8, 3, 3, 2, 2, 0, 0, 1, 1, 1}, {1, 18, 36, 3, 9, 18, 32, 3, 3, 2, 2, 0, 0, 1, 1, 1},
    {2, 6, 18, 2, 6, 18, 5, 3, 3, 1, 1, 0, 0, 1, 1, 1}, {1, 12, 40, 35, 6, 20, 35, 3, 3, 2, 2, 0, 0, 1, 1, 35},
    {2, 7, 9, 20, 7, 9, 20, 3, 3, 1, 1, 0, 0, 1, 1, 20}, {2, 10, 8, 12, 5, 4, 6, 3, 3, 2, 2, 0, 0, 1, 1, 3},
    /* few channels: lines around one and two vectors, and of several visits; stride and dilation between lines */
    SQUARE(2, 5, 7, 1, 6, 5, 1, 2, 1, 1), SQUARE(2, 5, 8, 1, 5, 3, 1, 1, 1, 1), SQUARE(2, 6, 9, 2, 6, 3, 1, 1, 1, 1),
    SQUARE(2, 4, 1, 1, 6, 3, 1, 1, 1, 1), SQUARE(2, 7, 15, 3, 5, 3, 1, 1, 1, 1), SQUARE(2, 5, 16, 1, 1, 3, 1, 1, 1, 1),
    SQUARE(2, 5, 17, 4, 8, 3, 1, 1, 1, 1), SQUARE(3, 6, 19, 2, 7, 3, 1, 1, 1, 1), SQUARE(1, 6, 35, 3, 3, 5, 1, 2, 1, 1),
    SQUARE(2, 5, 20, 1, 16, 3, 1, 1, 1, 1), SQUARE(3, 5, 18, 2, 4, 8, 1, 5, 1, 1), SQUARE(1, 40, 130, 2, 8, 3, 1, 1, 1, 1),
    {2, 9, 16, 1, 5, 17, 6, 3, 2, 2, 1, 1, 0, 1, 1, 1}, {2, 11, 20, 3, 4, 18, 5, 3, 3, 2, 1, 2, 0, 2, 1, 1},
    {3, 12, 19, 1, 12, 24, 2, 4, 5, 1, 1, 3, 7, 3, 1, 1}, {2, 30, 12, 2, 7, 16, 6, 2, 3, 4, 1, 0, 3, 4, 1, 1},
    {1, 3, 4, 1, 5, 33, 3, 2, 2, 1, 1, 1, 20, 1, 1, 1}, {1, 2, 3, 2, 6, 16, 4, 3, 3, 1, 1, 7, 40, 2, 1, 1},
    /* few input channels: windows of one and two panels, several visits, lines that no window meets, one column */
    SQUARE(2, 14, 14, 6, 16, 5, 1, 0, 1, 1), SQUARE(1, 19, 17, 8, 48, 7, 2, 3, 1, 1),
    SQUARE(2, 9, 8, 3, 24, 3, 2, 1, 1, 1), SQUARE(1, 20, 18, 7, 32, 9, 3, 5, 1, 1),
    SQUARE(1, 150, 130, 3, 16, 3, 1, 1, 1, 1), SQUARE(3, 6, 5, 4, 8, 4, 5, 6, 1, 1),
    {2, 13, 11, 5, 4, 5, 32, 3, 7, 4, 2, 2, 1, 1, 1, 1}, {2, 12, 9, 8, 9, 4, 16, 2, 2, 1, 3, 0, 1, 3, 1, 1},
    {1, 6, 5, 6, 6, 1, 16, 3, 5, 1, 1, 1, 0, 1, 1, 1}, {1, 17, 3, 2, 6, 9, 8, 5, 9, 3, 1, 3, 7, 2, 1, 1},
    /* groups and depthwise */
    SQUARE(2, 6, 7, 4, 6, 3, 1, 1, 1, 2), SQUARE(3, 5, 5, 6, 9, 3, 2, 1, 1, 3), SQUARE(1, 6, 6, 40, 72, 1, 1, 0, 1, 2),
    SQUARE(2, 5, 4, 66, 34, 3, 1, 1, 1, 2), SQUARE(2, 7, 7, 5, 10, 3, 1, 1, 1, 5), SQUARE(2, 9, 9, 16, 16, 3, 1, 1, 1,
    16),
    SQUARE(2, 8, 9, 35, 35, 3, 2, 1, 1, 35), SQUARE(1, 9, 8, 70, 70, 5, 1, 2, 2, 70), SQUARE(5, 6, 5, 7, 7, 2, 3, 2, 1,
    7),
    SQUARE(2, 5, 36, 144, 144, 3, 1, 1, 1, 144), SQUARE(1, 4, 31, 130, 130, 3, 2, 1, 1, 130),
    SQUARE(9, 7, 7, 65, 65, 3, 1, 1, 1, 65),
    /* depthwise 3x3: whole tiles of stride 1 and 2; strides and dilation that such tiles do not have */
    SQUARE(1, 12, 20, 35, 35, 3, 1, 1, 1, 35), SQUARE(1, 18, 24, 19, 19, 3, 2, 1, 1, 19),
    SQUARE(4, 16, 12, 35, 35, 3, 1, 1, 1, 35), SQUARE(4, 33, 12, 19, 19, 3, 2, 1, 1, 19),
    SQUARE(1, 14, 14, 20, 20, 3, 3, 0, 1, 20), {1, 9, 12, 20, 4, 10, 20, 3, 3, 2, 1, 0, 0, 1, 1, 20},
    {1, 9, 12, 20, 7, 8, 20, 3, 3, 1, 1, 0, 0, 1, 2, 20},
    {2, 8, 23, 24, 8, 17, 24, 4, 5, 1, 1, 2, 0, 1, 2, 24}, {2, 9, 30, 40, 5, 16, 40, 3, 2, 2, 2, 1, 3, 1, 1, 40},
    SQUARE(1, 3, 3, 8, 8, 3, 5, 6, 2, 8), SQUARE(1, 33, 40, 33, 33, 3, 1, 1, 1, 33), SQUARE(1, 5, 6, 1, 1, 3, 1, 1, 1,
    1),
};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

static void forward_is_within_the_bound_of_its_technique(void) {
    for (int i = 0; i < SHAPES; i++) {
        const sums d = direct_sums(&shapes[i]);
        name_case(&shapes[i]);
        for (int epilogue = 0; epilogue < EPILOGUES; epilogue++) {
            CHECK_EACH(v, "conv2d_forward") {
                check_forward(v, &shapes[i], &d, epilogue);
            }
        }
        check_release();
    }
}

static void backward_data_is_within_the_bound_of_its_technique(void) {
    for (int i = 0; i < SHAPES; i++) {
        const sums d = direct_sums(&shapes[i]);
        name_case(&shapes[i]);
        CHECK_EACH(v, "conv2d_backward_data") {
            check_backward_data(v, &shapes[i], &d);
        }
        check_release();
    }
}

static void backward_weight_accumulates_within_the_bound_of_its_technique(void) {
    for (int i = 0; i < SHAPES; i++) {
        const shape *s = &shapes[i];
        name_case(s);
        sums d = direct_sums(s);
        CHECK_EACH(v, "conv2d_backward_weight") {
            check_backward_weight(v, s, &d);
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

/* The most that errors within a variant's bounds can change an inner product; the sum itself errs in double only. */
static double inner_bound(const tarn_variant *v, const shape *s, const sums *d, const double *b, int64_t count) {
    const double *bound = bounds_of(v, s, d, 0);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += bound[i] * fabs(b[i]);
    }
    return (1 + check_gamma(TARN_F64, 2.0 * (double)count)) * sum;
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
        const double inexact = check_gamma(TARN_F64, (double)(d.input_count + d.weight_count + d.output_count)) * terms;
        CHECK_EACH(v, "conv2d_forward") {
            tarn_conv2d_args args = arguments(s);
            args.input = check_reals(v->dtype, d.input, d.input_count);
            args.weight = check_reals(v->dtype, d.weight, d.weight_count);
            args.grad_output = check_reals(v->dtype, d.grad_output, d.output_count);
            args.output = check_alloc_reals(v->dtype, d.output_count);
            args.grad_input = check_alloc_reals(v->dtype, d.input_count);
            args.grad_weight = check_reals(v->dtype, zeros(d.weight_count), d.weight_count);
            const tarn_variant *data = same_level("conv2d_backward_data", v, &args);
            const tarn_variant *weight = same_level("conv2d_backward_weight", v, &args);
            if (!check_runs(v, &args, CHECK_WHOLE)) {
                continue;
            }
            const double want = inner(v->dtype, args.output, d.grad_output, d.output_count);
            const double bound = inexact + inner_bound(v, s, &d, d.grad_output, d.output_count) + FLT_MIN;
            if (data && check_runs(data, &args, CHECK_WHOLE)) {
                const double got = inner(v->dtype, args.grad_input, d.input, d.input_count);
                CHECK(fabs(got - want) <= bound + inner_bound(data, s, &d, d.input, d.input_count),
                        "<X, dX> is %.9g, <Y, G> is %.9g", got, want);
            }
            if (weight && check_runs(weight, &args, CHECK_WHOLE)) {
                const double got = inner(v->dtype, args.grad_weight, d.weight, d.weight_count);
                CHECK(fabs(got - want) <= bound + inner_bound(weight, s, &d, d.weight, d.weight_count),
                        "<W, dW> is %.9g, <Y, G> is %.9g", got, want);
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

static void few_channels_have_their_own_variant_with_the_bits_of_the_general_one(void) {
    const shape first = SQUARE(2, 28, 28, 1, 6, 5, 1, 2, 1, 1), second = SQUARE(2, 14, 14, 6, 16, 5, 1, 0, 1, 1);
    sums d = direct_sums(&first);
    CHECK_EACH(v, "conv2d_forward") {
        if (strcmp(v->technique, "few_channels") != 0) {
            continue;
        }
        tarn_conv2d_args one = arguments(&first), two, other = arguments(&second);
        one.input = other.input = check_reals(v->dtype, d.input, d.input_count);
        one.weight = other.weight = check_reals(v->dtype, d.weight, d.weight_count);
        one.bias = check_reals(v->dtype, d.bias, first.oc);
        one.output = other.output = check_alloc_reals(v->dtype, d.output_count);
        one.activation = 1;
        CHECK(check_plan(v, &other) == TARN_DECLINED, "16 output channels");
        two = one;
        two.output = check_alloc_reals(v->dtype, d.output_count);
        CHECK(same_level(v->op, v, &one) == v, "LeNet's first layer");
        CHECK(check_run(v, &one, CHECK_WHOLE) == TARN_OK, "LeNet's first layer");
        const tarn_variant *general = same_level(v->op, v, &other);
        CHECK(!*general->technique && check_run(general, &two, CHECK_WHOLE) == TARN_OK, "LeNet's first layer");
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
    const int want = check_vector_levels();
    CHECK(special == want, "%d levels of %d have a special variant", special, want);
}

static void gradients_of_few_input_channels_have_their_own_variant(void) {
    float memory[1] = {0};
    const shape taken = SQUARE(2, 14, 14, 6, 16, 5, 1, 0, 1, 1), left[] = {SQUARE(2, 14, 14, 9, 16, 5, 1, 0, 1, 1),
            SQUARE(2, 14, 14, 6, 16, 5, 1, 4, 2, 1), SQUARE(2, 14, 14, 6, 16, 5, 1, 0, 1, 2)};
    int special = 0;
    for (int op = 1; op < 3; op++) {
        CHECK_EACH(v, op == 1 ? "conv2d_backward_data" : "conv2d_backward_weight") {
            if (strcmp(v->technique, "few_inputs") != 0) {
                continue;
            }
            tarn_conv2d_args args = arguments(&taken);
            args.input = args.weight = args.grad_output = args.grad_input = args.grad_weight = memory;
            CHECK(same_level(v->op, v, &args) == v, "LeNet's second layer");
            for (size_t i = 0; i < sizeof left / sizeof left[0]; i++) {
                tarn_conv2d_args other = arguments(&left[i]);
                other.input = other.weight = other.grad_output = other.grad_input = other.grad_weight = memory;
                CHECK(check_plan(v, &other) == TARN_DECLINED, "shape %d", (int)i);
            }
            special++;
        }
    }
    const int want = 2 * check_vector_levels();
    CHECK(special == want, "%d variants of %d", special, want);
}

static void wide_linear_layers_pack_no_whole_copy_of_weights_that_change(void) {
    const shape s = LINEAR(3, 600, 700);
    sums d = direct_sums(&s);
    const char *const both[] = {"conv2d_forward", "conv2d_backward_data"};
    for (int op = 0; op < 2; op++) {
        CHECK_EACH(v, both[op]) {
            if (strcmp(v->technique, "linear") != 0) {
                continue;
            }
            tarn_conv2d_args one = arguments(&s), two;
            one.input = check_reals(v->dtype, d.input, d.input_count);
            one.grad_output = check_reals(v->dtype, d.grad_output, d.output_count);
            one.weight = check_reals(v->dtype, d.weight, d.weight_count);
            one.output = check_alloc_reals(v->dtype, d.output_count);
            one.grad_input = check_alloc_reals(v->dtype, d.input_count);
            two = one;
            two.constant_weight = 1;
            two.output = check_alloc_reals(v->dtype, d.output_count);
            two.grad_input = check_alloc_reals(v->dtype, d.input_count);
            const tarn_variant *general = same_level(v->op, v, &two);
            CHECK(same_level(v->op, v, &one) == v && !*general->technique, "%s", v->op);
            tarn_plan plan;
            CHECK(tarn_plan_variant(v->plan, &one, &plan) == TARN_OK && !plan.shared, "%lld", (long long)plan.shared);
            CHECK(check_run(v, &one, CHECK_WHOLE) == TARN_OK, "%s", v->op);
            CHECK(check_run(general, &two, CHECK_WHOLE) == TARN_OK, "%s", v->op);
            check_bits("the general variant", op ? one.grad_input : one.output, op ? two.grad_input : two.output,
                    (op ? d.input_count : d.output_count) * check_size(v->dtype));
        }
    }
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
            args.activation = TARN_SCALE + 1;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "no such activation");
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

/* Vector kernels write past the caches what is larger than those: six images at each level, and one alone at none. */
static void large_results_have_the_bits_of_small_ones(void) {
    const shape cases[] = {SQUARE(6, 96, 301, 64, 64, 1, 1, 0, 1, 1), SQUARE(6, 96, 301, 64, 64, 3, 1, 1, 1, 64),
            SQUARE(6, 96, 301, 2, 64, 5, 1, 2, 1, 1)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const shape *s = &cases[i];
        const int64_t in = s->h * s->w * s->ic, out = s->oh * s->ow * s->oc;
        name_case(s);
        CHECK(s->n * out * 4 > 32 << 20 && out * 4 <= 8 << 20, "%lld bytes", (long long)out * 4);
        const double *input = check_uniforms(s->n * in, -1, 1), *grad_output = check_uniforms(s->n * out, -1, 1);
        const double *weight = check_uniforms(s->kh * s->kw * s->ic / s->groups * s->oc, -1, 1);
        for (int op = 0; op < 2; op++) {
            CHECK_EACH(v, ops[op]) {
                if (v->level < TARN_AVX2) {
                    continue;
                }
                tarn_conv2d_args args = arguments(s);
                void **from = op == 0 ? &args.input : &args.grad_output;
                void **to = op == 0 ? &args.output : &args.grad_input;
                args.weight = check_reals(v->dtype, weight, s->kh * s->kw * s->ic / s->groups * s->oc);
                *from = check_reals(v->dtype, op == 0 ? input : grad_output, s->n * (op == 0 ? in : out));
                *to = check_alloc_reals(v->dtype, s->n * (op == 0 ? out : in));
                if (check_runs(v, &args, CHECK_WHOLE)) {
                    check_alone(v, &args, from, to, op == 0 ? in : out, op == 0 ? out : in);
                }
            }
        }
        check_release();
    }
}

/* Strides, padding and dilation near the largest that plan accepts: nothing overflows, nothing outside is read. */
static void far_away_windows_read_zeros(void) {
    const int64_t far = (int64_t)1 << 40;
    const shape cases[] = {{1, 3, 3, 2, 2, 2, 3, 2, 2, far, far, 0, 0, 1, 1, 1}, {1, 3, 3, 2, 2, 2, 3, 2, 2, 1, 1, far,
            far, 1, 1, 1},
            {1, 3, 3, 2, 2, 2, 3, 2, 2, 1, 1, 0, 0, far, far, 1}, {1, 3, 3, 4, 2, 2, 4, 2, 2, far, 2, far, 1, far, 3,
                    4},
            {1, 3, 9, 2, 2, 17, 3, 2, 2, 1, 1, far, far, 1, 1, 1}, {1, 3, 9, 2, 2, 17, 3, 2, 2, 1, 1, 1, far, 1, 1, 1},
            {1, 3, 9, 2, 2, 17, 3, 2, 2, 1, far, 0, 0, 1, 1, 1}, {1, 3, 19, 2, 2, 17, 3, 2, 3, 1, 1, 0, 1, far, 1, 1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
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

/* A session's memory is planned for its largest batch. */
static void smaller_batches_fit_in_the_plan_of_larger_ones(void) {
    const shape cases[] = {SQUARE(0, 9, 9, 64, 64, 3, 1, 1, 1, 1), SQUARE(0, 7, 7, 256, 200, 3, 1, 1, 1, 1),
            SQUARE(0, 2, 2, 256, 257, 3, 1, 1, 1, 1), SQUARE(0, 4, 4, 17, 1800, 3, 1, 1, 1, 1), SQUARE(0, 28, 28, 1, 6, 5, 1, 2, 1, 1),
            SQUARE(0, 14, 14, 6, 16, 5, 1, 0, 1, 1), SQUARE(0, 30, 30, 20, 40, 3, 2, 1, 1, 1),
            SQUARE(0, 14, 14, 96, 24, 1, 1, 0, 1, 1), SQUARE(0, 12, 12, 32, 32, 3, 2, 1, 1, 4),
            SQUARE(0, 15, 15, 24, 24, 3, 1, 1, 1, 24), LINEAR(0, 400, 120)};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        name_case(&cases[i]);
        for (int k = 0; k < 6; k++) {
            CHECK_EACH(v, ops[k / 2]) {
                tarn_plan last = {.tasks = {0}};
                for (int64_t n = 1; n < 300; n++) {
                    tarn_conv2d_args args = arguments(&cases[i]);
                    tarn_plan plan = last;
                    args.n = n;
                    args.constant_weight = k % 2;
                    args.input = args.weight = args.output = args.grad_output = args.grad_input = args.grad_weight = &args;
                    args.sgemm = NULL;
                    const int32_t status = tarn_plan_variant(v->plan, &args, &plan);
                    CHECK(status == TARN_OK || status == TARN_DECLINED, "n = %lld", (long long)n);
                    CHECK(plan.shared >= last.shared && plan.scratch >= last.scratch, "memory for n = %lld",
                            (long long)n);
                    CHECK(n < 2 || plan.reusable == last.reusable, "n = %lld", (long long)n);
                    last = plan;
                }
            }
        }
        check_release();
    }
}

CHECK_MAIN({"forward_is_within_the_bound_of_its_technique", forward_is_within_the_bound_of_its_technique},
        {"backward_data_is_within_the_bound_of_its_technique", backward_data_is_within_the_bound_of_its_technique},
        {"backward_weight_accumulates_within_the_bound_of_its_technique",
                backward_weight_accumulates_within_the_bound_of_its_technique},
        {"gradients_are_adjoint_to_the_convolution", gradients_are_adjoint_to_the_convolution},
        {"stride_skips_and_padding_is_zeros", stride_skips_and_padding_is_zeros},
        {"nan_passes_through_relu", nan_passes_through_relu},
        {"few_channels_have_their_own_variant_with_the_bits_of_the_general_one",
                few_channels_have_their_own_variant_with_the_bits_of_the_general_one},
        {"gradients_of_few_input_channels_have_their_own_variant",
                gradients_of_few_input_channels_have_their_own_variant},
        {"wide_linear_layers_pack_no_whole_copy_of_weights_that_change",
                wide_linear_layers_pack_no_whole_copy_of_weights_that_change},
        {"infinite_pixels_reach_only_their_taps", infinite_pixels_reach_only_their_taps},
        {"nonsense_is_refused", nonsense_is_refused},
        {"large_results_have_the_bits_of_small_ones", large_results_have_the_bits_of_small_ones},
        {"far_away_windows_read_zeros", far_away_windows_read_zeros},
        {"smaller_batches_fit_in_the_plan_of_larger_ones", smaller_batches_fit_in_the_plan_of_larger_ones})
