/*
 * BF16: rounding on every kind of number; what moves or compares numbers against the same operation in double, exactly; and
 * convolution against double inside the bound of a dot product in float, rounded once.
 */
#include "check.h"

/* The nearest bf16, ties to even, by arithmetic instead of bits. */
static double nearest(double x) {
    if (x == 0 || !isfinite(x)) {
        return x;
    }
    int exponent;
    frexp(x, &exponent);
    const double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 8), y = rint(x / unit) * unit;
    return fabs(y) >= 0x1p128 ? copysign(INFINITY, x) : y;
}

static double *bf16_uniforms(int64_t count) {
    double *x = check_uniforms(count, -1, 1);
    for (int64_t i = 0; i < count; i++) {
        x[i] = nearest(x[i]);
    }
    return x;
}

static void every_number_goes_to_float_and_back(void) {
    enum { COUNT = 1 << 16 };
    CHECK_EACH_BF16(v, "convert_to_f32") {
        uint16_t *all = check_alloc(COUNT * (int64_t)sizeof(uint16_t));
        for (int i = 0; i < COUNT; i++) {
            all[i] = (uint16_t)i;
        }
        float *wide = check_alloc(COUNT * (int64_t)sizeof(float));
        tarn_elementwise_args args = {.n = 1, .count = COUNT, .a = all, .out = wide};
        check_runs(v, &args, CHECK_WHOLE);
        for (int i = 0; i < COUNT; i++) {
            uint32_t bits;
            memcpy(&bits, &wide[i], sizeof bits);
            CHECK(bits == (uint32_t)i << 16, "%04x became %08x", (unsigned)i, bits);
        }
        CHECK_EACH_BF16(back, "convert_from_f32") {
            uint16_t *again = check_alloc(COUNT * (int64_t)sizeof(uint16_t));
            args.a = wide;
            args.out = again;
            check_runs(back, &args, CHECK_WHOLE);
            for (int i = 0; i < COUNT; i++) {
                const int nan = (i & 0x7FFF) > 0x7F80;
                CHECK(again[i] == (nan ? i | 0x40 : i), "%04x became %04x", (unsigned)i, again[i]);
            }
        }
        check_release();
    }
}

static void floats_are_rounded_to_nearest_even(void) {
    enum { HIGHS = 1 << 12, LOWS = 9, COUNT = HIGHS * LOWS + 3 };
    static const uint32_t lows[LOWS] = {0, 1, 0x1234, 0x7FFF, 0x8000, 0x8001, 0xC000, 0xFFFE, 0xFFFF};
    float *x = check_alloc(COUNT * (int64_t)sizeof(float));
    for (int i = 0; i < COUNT; i++) {
        const uint32_t bits = (uint32_t)(i / LOWS * 17) << 16 | lows[i % LOWS];
        memcpy(&x[i], &bits, sizeof bits);
    }
    CHECK_EACH_BF16(v, "convert_from_f32") {
        uint16_t *y = check_alloc(COUNT * (int64_t)sizeof(uint16_t));
        tarn_elementwise_args args = {.n = 1, .count = COUNT, .a = x, .out = y};
        check_runs(v, &args, CHECK_WHOLE);
        for (int i = 0; i < COUNT; i++) {
            const double got = check_get(TARN_BF16, y, i), want = nearest(x[i]);
            CHECK(isnan(want) ? isnan(got) : got == want && signbit(got) == signbit(want), "%a became %a, not %a", x[i], got,
                    want);
        }
    }
}

/* One operation on bf16 against the same in double, whose result is rounded once: within one unit, or exact. */
static void compare(const char *op, void *args, void **input, int64_t input_count, void **output, int64_t output_count,
        double roundings) {
    double *x = bf16_uniforms(input_count), *want = check_alloc_reals(TARN_F64, output_count);
    double *bound = check_alloc_reals(TARN_F64, output_count);
    *input = x;
    *output = want;
    check_runs(check_reference(op), args, CHECK_WHOLE);
    for (int64_t i = 0; i < output_count; i++) {
        bound[i] = (roundings * check_unit(TARN_BF16) + 4 * check_unit(TARN_F32)) * fabs(want[i]) * (roundings > 0);
    }
    CHECK_EACH_BF16(v, op) {
        *input = check_reals(TARN_BF16, x, input_count);
        for (int split = 0; split < CHECK_SPLITS; split++) {
            *output = check_alloc_reals(TARN_BF16, output_count);
            if (check_runs(v, args, (enum check_split)split)) {
                check_within(op, TARN_BF16, *output, want, bound, output_count);
            }
        }
    }
    check_release();
}

static void elementwise_rounds_once(void) {
    static const int64_t sizes[] = {1, 7, 15, 16, 17, 31, 33, 65535, 65537};
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        const int64_t size = sizes[s];
        check_case("count=%lld", (long long)size);
        for (int act = TARN_IDENTITY; act <= TARN_RELU6; act++) {
            tarn_elementwise_args args = {.n = 1, .count = size, .activation = act};
            compare("activation_forward", &args, &args.a, size, &args.out, size, 0);
            double *a = bf16_uniforms(size), *b = bf16_uniforms(size), *want = check_alloc_reals(TARN_F64, size);
            args = (tarn_elementwise_args){.n = 1, .count = size, .activation = act, .a = a, .b = b, .out = want};
            check_runs(check_reference("add"), &args, CHECK_WHOLE);
            for (int64_t i = 0; i < size; i++) {
                want[i] = nearest((float)want[i]);
            }
            CHECK_EACH_BF16(v, "add") {
                args.a = args.out = check_reals(TARN_BF16, a, size); /* in place */
                args.b = check_reals(TARN_BF16, b, size);
                check_runs(v, &args, CHECK_RANDOM);
                for (int64_t i = 0; i < size; i++) {
                    const double got = check_get(TARN_BF16, args.out, i);
                    CHECK(got == want[i], "%a + %a is %a, not %a", a[i], b[i], got, want[i]);
                }
            }
            check_release();
        }
    }
}

static void pooling_and_copies(void) {
    static const int64_t channels[] = {1, 3, 15, 16, 17, 31, 32, 33, 65, 70};
    for (size_t s = 0; s < sizeof channels / sizeof channels[0]; s++) {
        const int64_t c = channels[s];
        check_case("c=%lld", (long long)c);
        tarn_pool2d_args pool = {.n = 2, .h = 9, .w = 7, .c = c, .oh = 5, .ow = 4, .kh = 3, .kw = 3, .sh = 2, .sw = 2,
                .pt = 1, .pl = 1, .dh = 1, .dw = 1};
        compare("maxpool2d_forward", &pool, &pool.input, 2 * 9 * 7 * c, &pool.output, 2 * 5 * 4 * c, 0);
        compare("avgpool2d_forward", &pool, &pool.input, 2 * 9 * 7 * c, &pool.output, 2 * 5 * 4 * c, 1);
        tarn_transpose_args turn = {.n = 3, .rows = 49, .cols = c};
        compare("transpose", &turn, &turn.input, 3 * 49 * c, &turn.output, 3 * 49 * c, 0);
        tarn_channels_args copy = {.n = 2, .hw = 11, .c = c, .input_pitch = c + 3, .input_channel = 2,
                .output_pitch = c, .output_channel = 0};
        compare("copy_channels", &copy, &copy.input, 22 * (c + 3), &copy.output, 22 * c, 0);
        copy = (tarn_channels_args){.n = 2, .hw = 11, .c = c, .input_pitch = c, .output_pitch = c + 5,
                .output_channel = 4};
        compare("pad_channels", &copy, &copy.input, 22 * c, &copy.output, 22 * (c + 5), 0);
    }
}

#define OUT(in, k, s, p, d) (((in) + 2 * (p) - (d) * ((k) - 1) - 1) / (s) + 1)
#define CONV(images, side, width, in, out, k, s, p, d, g) \
    {.n = images, .h = side, .w = width, .ic = in, .oh = OUT(side, k, s, p, d), .ow = OUT(width, k, s, p, d), .oc = out, \
     .kh = k, .kw = k, .sh = s, .sw = s, .pt = p, .pl = p, .dh = d, .dw = d, .groups = g}
/* One line of pixels and a 1x1 window: a matrix product of any height, depth and width. */
#define MATRIX(rows, depth, columns) CONV(1, 1, rows, depth, columns, 1, 1, 0, 1, 1)

static const tarn_conv2d_args convolutions[] = {
    /* rows around 4, 12, 14, 16 and 32; depths around 2 and 32; columns around 8, 16 and 32 */
    MATRIX(1, 1, 1), MATRIX(3, 2, 7), MATRIX(5, 3, 8), MATRIX(11, 4, 9), MATRIX(12, 31, 15), MATRIX(13, 32, 16),
    MATRIX(14, 33, 17), MATRIX(15, 63, 31), MATRIX(16, 64, 32), MATRIX(17, 65, 33), MATRIX(31, 34, 47), MATRIX(32, 96, 48),
    MATRIX(33, 30, 49), MATRIX(63, 128, 64), MATRIX(65, 160, 65), MATRIX(1031, 32, 5), MATRIX(7, 2048, 40),
    MATRIX(3, 4096, 3), MATRIX(600, 6, 34),
    /* a linear layer, a batch of it, and layers of known networks, small */
    CONV(1, 1, 1, 84, 10, 1, 1, 0, 1, 1), CONV(37, 1, 1, 64, 100, 1, 1, 0, 1, 1), CONV(2, 31, 30, 3, 64, 7, 2, 3, 1, 1),
    CONV(3, 9, 9, 64, 64, 3, 1, 1, 1, 1), CONV(2, 14, 13, 16, 32, 3, 2, 1, 1, 1), CONV(5, 7, 7, 64, 40, 1, 1, 0, 1, 1),
    CONV(3, 8, 8, 64, 33, 1, 2, 0, 1, 1), CONV(2, 28, 28, 1, 6, 5, 1, 2, 1, 1), CONV(2, 5, 5, 3, 4, 3, 1, 1, 1, 1),
    CONV(1, 12, 12, 260, 70, 3, 1, 1, 1, 1),
    /* stride beyond the window, padding beyond the image, dilation */
    CONV(2, 11, 13, 3, 5, 2, 3, 0, 1, 1), CONV(2, 3, 4, 3, 7, 3, 1, 5, 1, 1), CONV(2, 17, 16, 5, 18, 4, 6, 5, 4, 1),
    /* padding below and on the right alone */
    {.n = 2, .h = 16, .w = 18, .ic = 20, .oh = 8, .ow = 9, .oc = 33, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .dh = 1, .dw = 1,
     .groups = 1},
    {.n = 2, .h = 12, .w = 14, .ic = 35, .oh = 6, .ow = 7, .oc = 35, .kh = 3, .kw = 3, .sh = 2, .sw = 2, .dh = 1, .dw = 1,
     .groups = 35},
    /* groups, depthwise */
    CONV(2, 6, 7, 4, 6, 3, 1, 1, 1, 2), CONV(2, 6, 6, 64, 72, 1, 1, 0, 1, 2), CONV(2, 5, 4, 66, 34, 3, 1, 1, 1, 2),
    CONV(2, 9, 9, 16, 16, 3, 1, 1, 1, 16), CONV(2, 8, 9, 35, 35, 3, 2, 1, 1, 35), CONV(1, 9, 8, 70, 70, 5, 1, 2, 2, 70),
    CONV(3, 5, 5, 7, 7, 2, 3, 2, 1, 7), CONV(1, 3, 3, 8, 8, 3, 5, 6, 2, 8),
};
#define CONVOLUTIONS ((int)(sizeof convolutions / sizeof convolutions[0]))

typedef struct {
    int64_t inputs, weights, outputs; /* elements */
    double *input, *weight, *bias, *residual;
    double *want, *terms;             /* the output in double, and the same with all operands positive */
} example;

static double *absolute(const double *x, int64_t count) {
    double *y = check_alloc_reals(TARN_F64, count);
    for (int64_t i = 0; i < count; i++) {
        y[i] = fabs(x[i]);
    }
    return y;
}

static example example_of(tarn_conv2d_args a, int epilogue) {
    check_case("n=%lld %lldx%lldx%lld -> %lld window %lld stride %lld pad %lld groups %lld epilogue %d", (long long)a.n,
            (long long)a.h, (long long)a.w, (long long)a.ic, (long long)a.oc, (long long)a.kh, (long long)a.sh,
            (long long)a.pt, (long long)a.groups, epilogue);
    example e = {.inputs = a.n * a.h * a.w * a.ic, .weights = a.kh * a.kw * a.ic / a.groups * a.oc,
            .outputs = a.n * a.oh * a.ow * a.oc};
    e.input = bf16_uniforms(e.inputs);
    e.weight = bf16_uniforms(e.weights);
    e.bias = check_uniforms(a.oc, -1, 1);
    e.residual = bf16_uniforms(e.outputs);
    for (int positive = 0; positive < 2; positive++) {
        double *y = check_alloc_reals(TARN_F64, e.outputs);
        tarn_conv2d_args d = a;
        d.input = positive ? absolute(e.input, e.inputs) : e.input;
        d.weight = positive ? absolute(e.weight, e.weights) : e.weight;
        d.bias = !epilogue ? NULL : positive ? absolute(e.bias, a.oc) : e.bias;
        d.residual = !epilogue ? NULL : positive ? absolute(e.residual, e.outputs) : e.residual;
        d.activation = epilogue && !positive ? TARN_RELU6 : TARN_IDENTITY;
        d.output = y;
        check_runs(check_reference("conv2d_forward"), &d, CHECK_WHOLE);
        *(positive ? &e.terms : &e.want) = y;
    }
    return e;
}

/*
 * Products of bf16 are exact in float. A sum of depth of them, in any order, bias and residual errs by gamma(depth + 2) of
 * its absolute terms, and the result is rounded to bf16 once: |fl(s) - s| <= u |s|.
 */
static void convolution_is_within_the_bound_of_a_dot_product(void) {
    for (int k = 0; k < 2 * CONVOLUTIONS; k++) {
        tarn_conv2d_args args = convolutions[k / 2];
        const int epilogue = k % 2;
        example e = example_of(args, epilogue);
        const double gamma = check_gamma(TARN_F32, (double)(args.kh * args.kw * args.ic / args.groups + 2));
        double *bound = check_alloc_reals(TARN_F64, e.outputs);
        for (int64_t i = 0; i < e.outputs; i++) {
            const double error = gamma * e.terms[i];
            bound[i] = error + check_unit(TARN_BF16) * (fabs(e.want[i]) + error);
        }
        CHECK_EACH_BF16(v, "conv2d_forward") {
            args.input = check_reals(TARN_BF16, e.input, e.inputs);
            args.weight = check_reals(TARN_F32, e.weight, e.weights);
            args.bias = epilogue ? check_reals(TARN_F32, e.bias, args.oc) : NULL;
            args.residual = epilogue ? check_reals(TARN_BF16, e.residual, e.outputs) : NULL;
            args.activation = epilogue ? TARN_RELU6 : TARN_IDENTITY;
            args.output = e.want; /* plans do not follow pointers */
            void *whole = NULL;
            const int depthwise = args.groups == args.ic && args.ic == args.oc && args.groups > 1;
            const int reference = v->level == TARN_REF, special = *v->technique != 0;
            const int32_t status = check_plan(v, &args);
            CHECK(status == (reference || depthwise == special ? TARN_OK : TARN_DECLINED), "status %d", status);
            if (status != TARN_OK) {
                continue;
            }
            for (int split = 0; split < CHECK_SPLITS; split++) {
                args.output = check_alloc_reals(TARN_BF16, e.outputs);
                CHECK(check_run(v, &args, (enum check_split)split) == TARN_OK, "runs");
                if (split == CHECK_WHOLE) {
                    whole = args.output;
                    check_within("output", TARN_BF16, whole, e.want, bound, e.outputs);
                } else {
                    check_bits("another split of the tasks", args.output, whole, 2 * e.outputs);
                }
            }
            for (int64_t n = 0; n < args.n && args.n > 1; n++) {
                const int64_t out = e.outputs / args.n;
                tarn_conv2d_args one = args;
                one.n = 1;
                one.input = (uint16_t *)args.input + n * (e.inputs / args.n);
                one.residual = args.residual ? (uint16_t *)args.residual + n * out : NULL;
                one.output = check_alloc_reals(TARN_BF16, out);
                check_runs(v, &one, CHECK_WHOLE);
                check_bits("an image alone", one.output, (uint16_t *)whole + n * out, 2 * out);
            }
        }
        check_release();
    }
}

static void weights_are_rounded_to_nearest_even(void) {
    const tarn_conv2d_args shape = CONV(1, 6, 5, 7, 9, 3, 1, 1, 1, 1);
    example e = example_of(shape, 0);
    double *exact = check_uniforms(e.weights, -1, 1), *rounded = check_alloc_reals(TARN_F64, e.weights);
    for (int64_t i = 0; i < e.weights; i++) {
        rounded[i] = nearest(exact[i]);
    }
    CHECK_EACH_BF16(v, "conv2d_forward") {
        tarn_conv2d_args one = shape, two = shape;
        one.input = two.input = check_reals(TARN_BF16, e.input, e.inputs);
        one.weight = check_reals(TARN_F32, exact, e.weights);
        two.weight = check_reals(TARN_F32, rounded, e.weights);
        one.output = check_alloc_reals(TARN_BF16, e.outputs);
        two.output = check_alloc_reals(TARN_BF16, e.outputs);
        if (check_runs(v, &one, CHECK_WHOLE) && check_runs(v, &two, CHECK_WHOLE)) {
            check_bits("weights rounded before", one.output, two.output, 2 * e.outputs);
        }
    }
}

/* A NaN, and an infinity, reach the windows over them and no others, whatever is packed beside them. */
static void not_a_number_reaches_only_its_windows(void) {
    enum { H = 9, W = 8, C = 5, O = 21 };
    const tarn_conv2d_args shape = CONV(1, H, W, C, O, 3, 1, 1, 1, 1);
    example e = example_of(shape, 0);
    for (int nan = 0; nan < 2; nan++) {
        e.input[(4 * W + 4) * C + 2] = nan ? NAN : INFINITY;
        CHECK_EACH_BF16(v, "conv2d_forward") {
            tarn_conv2d_args args = shape;
            args.input = check_reals(TARN_BF16, e.input, e.inputs);
            args.weight = check_reals(TARN_F32, e.weight, e.weights);
            args.output = check_alloc_reals(TARN_BF16, e.outputs);
            args.activation = nan ? TARN_RELU6 : TARN_IDENTITY;
            if (!check_runs(v, &args, CHECK_WHOLE)) {
                continue; /* a variant for other shapes */
            }
            for (int64_t i = 0; i < e.outputs; i++) {
                const int64_t y = i / O / W, x = i / O % W;
                const int reached = y >= 3 && y <= 5 && x >= 3 && x <= 5;
                const double got = check_get(TARN_BF16, args.output, i);
                CHECK(reached ? (nan ? isnan(got) : isinf(got)) : isfinite(got), "output[%lld] is %g", (long long)i, got);
            }
        }
    }
}

CHECK_MAIN({"every_number_goes_to_float_and_back", every_number_goes_to_float_and_back},
        {"floats_are_rounded_to_nearest_even", floats_are_rounded_to_nearest_even},
        {"elementwise_rounds_once", elementwise_rounds_once},
        {"pooling_and_copies", pooling_and_copies},
        {"convolution_is_within_the_bound_of_a_dot_product", convolution_is_within_the_bound_of_a_dot_product},
        {"weights_are_rounded_to_nearest_even", weights_are_rounded_to_nearest_even},
        {"not_a_number_reaches_only_its_windows", not_a_number_reaches_only_its_windows})
