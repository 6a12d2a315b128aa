/* Pooling: every level against the reference, and METHODS C15 and C16. */
#include "check.h"

typedef struct {
    int64_t n, h, w, c, kh, kw, sh, sw, pt, pl, dh, dw;
} shape;

static const shape shapes[] = {
    {2, 4, 6, 3, 2, 2, 2, 2, 0, 0, 1, 1},      /* windows side by side */
    {1, 5, 7, 17, 2, 2, 2, 2, 0, 0, 1, 1},     /* odd size, last row and column in no window */
    {3, 9, 8, 16, 3, 3, 2, 2, 1, 1, 1, 1},     /* overlapping, padded: ResNet's */
    {1, 7, 7, 33, 3, 3, 1, 1, 1, 1, 1, 1},
    {2, 6, 5, 8, 2, 3, 1, 2, 0, 2, 1, 1},
    {1, 11, 13, 7, 3, 2, 5, 4, 0, 0, 1, 1},    /* stride > kernel: gaps */
    {1, 12, 9, 15, 3, 3, 2, 1, 2, 2, 2, 3},    /* dilated */
    {1, 8, 8, 9, 3, 3, 3, 3, 2, 2, 2, 2},
    {2, 1, 1, 31, 1, 1, 1, 1, 0, 0, 1, 1},
    {1, 1, 1, 1, 3, 3, 1, 1, 2, 2, 1, 1},      /* almost all padding */
    {4, 7, 7, 47, 7, 7, 1, 1, 0, 0, 1, 1},     /* the window is the image */
    {1, 16, 16, 5, 16, 16, 1, 1, 0, 0, 1, 1},  /* the largest that max takes */
    {1, 4, 31, 129, 1, 7, 1, 3, 0, 3, 1, 2},
};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

static tarn_pool2d_args args_of(shape s) {
    return (tarn_pool2d_args){.n = s.n, .h = s.h, .w = s.w, .c = s.c,
        .oh = (s.h + 2 * s.pt - (s.kh - 1) * s.dh - 1) / s.sh + 1,
        .ow = (s.w + 2 * s.pl - (s.kw - 1) * s.dw - 1) / s.sw + 1,
        .kh = s.kh, .kw = s.kw, .sh = s.sh, .sw = s.sw, .pt = s.pt, .pl = s.pl, .dh = s.dh, .dw = s.dw};
}

static int64_t inputs(const tarn_pool2d_args *a) { return a->n * a->h * a->w * a->c; }
static int64_t outputs(const tarn_pool2d_args *a) { return a->n * a->oh * a->ow * a->c; }

/* Shapes of the table, then random ones, some with windows that hang over the far edge. */
static tarn_pool2d_args next_case(int i) {
    tarn_pool2d_args a;
    if (i < SHAPES) {
        a = args_of(shapes[i]);
    } else {
        int64_t any = 1;
        float dummy;
        do {
            any = (int64_t)(check_random() >> 1);
            shape s = {1 + any % 2, 1 + any / 2 % 13, 1 + any / 26 % 13, 1 + any / 338 % 40, 1 + any / 13520 % 4,
                1 + any / 54080 % 4, 1 + any / 216320 % 4, 1 + any / 865280 % 4, any / 3461120 % 3, any / 10383360 % 3,
                1 + any / 31150080 % 3, 1 + any / 93450240 % 3};
            a = args_of(s);
            a.oh += any / 280350720 % 2;
            a.ow += any / 560701440 % 2;
            a.input = a.output = &dummy;
        } while (check_plan(check_reference("maxpool2d_forward"), &a) != TARN_OK);
    }
    check_case("n=%lld h=%lld w=%lld c=%lld oh=%lld ow=%lld kernel %lldx%lld stride %lldx%lld padding %lld,%lld "
               "dilation %lld,%lld",
            (long long)a.n, (long long)a.h, (long long)a.w, (long long)a.c, (long long)a.oh, (long long)a.ow,
            (long long)a.kh,
            (long long)a.kw, (long long)a.sh, (long long)a.sw, (long long)a.pt, (long long)a.pl, (long long)a.dh,
            (long long)a.dw);
    return a;
}
#define CASES (SHAPES + 40)

static double *absolute(const double *x, int64_t count) {
    double *y = check_alloc_reals(TARN_F64, count);
    for (int64_t i = 0; i < count; i++) {
        y[i] = fabs(x[i]);
    }
    return y;
}

static double *scaled(const double *x, int64_t count, double by) {
    double *y = check_alloc_reals(TARN_F64, count);
    for (int64_t i = 0; i < count; i++) {
        y[i] = x[i] * by;
    }
    return y;
}

static double dot(const double *x, const double *y, int64_t count) {
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        sum += x[i] * y[i];
    }
    return sum;
}

static void max_equals_reference(void) {
    for (int k = 0; k < CASES; k++) {
        tarn_pool2d_args base = next_case(k);
        int64_t in = inputs(&base), out = outputs(&base);
        double *x = check_uniforms(in, -2, 2), *g = check_uniforms(out, -1, 1), *size = absolute(g, out);
        for (int64_t i = 0; i < in; i += 1 + (int64_t)(check_random() % 5)) {
            static const double awkward[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1, 1, 1}; /* ones: ties */
            x[i] = awkward[check_random() % 8];
        }
        double *want = check_alloc_reals(TARN_F64, out), *want_grad = check_alloc_reals(TARN_F64, in);
        double *bound = check_alloc_reals(TARN_F64, in), *zero = scaled(size, out, 0);
        tarn_pool2d_args a = base;
        uint8_t *winner = check_alloc(out);
        a.input = x, a.output = want, a.index = winner;
        check_runs(check_reference("maxpool2d_forward"), &a, CHECK_WHOLE);
        a.grad_output = size, a.grad_input = bound;
        check_runs(check_reference("maxpool2d_backward"), &a, CHECK_WHOLE);
        a.grad_output = g, a.grad_input = want_grad;
        check_runs(check_reference("maxpool2d_backward"), &a, CHECK_WHOLE);
        bound = scaled(bound, in, check_gamma(TARN_F32, (double)(a.kh * a.kw)));
        CHECK_EACH(v, "maxpool2d_forward") {
            a = base;
            a.input = check_reals(v->dtype, x, in);
            void *with_index = a.output = check_alloc_reals(v->dtype, out);
            a.index = check_alloc(out);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("output", v->dtype, a.output, want, zero, out);
            check_bits("index", a.index, winner, out);
            a.index = NULL;
            a.output = check_alloc_reals(v->dtype, out);
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("output without index", a.output, with_index, out * check_size(v->dtype));
        }
        CHECK_EACH(v, "maxpool2d_backward") {
            a = base;
            a.index = winner;
            a.grad_output = check_reals(v->dtype, g, out);
            void *single = a.grad_input = check_alloc_reals(v->dtype, in);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("grad_input", v->dtype, a.grad_input, want_grad, bound, in);
            a.grad_input = check_alloc_reals(v->dtype, in);
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("grad_input of another split", a.grad_input, single, in * check_size(v->dtype));
        }
        check_release();
    }
}

static void average_equals_reference(void) {
    for (int k = 0; k < 2 * CASES; k++) {
        tarn_pool2d_args base = next_case(k / 2);
        base.count_include_pad = k % 2;
        int64_t in = inputs(&base), out = outputs(&base), window = base.kh * base.kw;
        double *x = check_uniforms(in, -2, 2), *g = check_uniforms(out, -1, 1);
        double *want = check_alloc_reals(TARN_F64, out), *want_grad = check_alloc_reals(TARN_F64, in);
        double *mean_size = check_alloc_reals(TARN_F64, out), *bound = check_alloc_reals(TARN_F64, in);
        const tarn_variant *forward = check_reference("avgpool2d_forward");
        const tarn_variant *backward = check_reference("avgpool2d_backward");
        tarn_pool2d_args a = base;
        a.input = absolute(x, in), a.output = mean_size;
        check_runs(forward, &a, CHECK_WHOLE);
        a.input = x, a.output = want;
        check_runs(forward, &a, CHECK_WHOLE);
        a.grad_output = absolute(g, out), a.grad_input = bound;
        check_runs(backward, &a, CHECK_WHOLE);
        a.grad_output = g, a.grad_input = want_grad;
        check_runs(backward, &a, CHECK_WHOLE);
        double forward_dot = dot(want, g, out), backward_dot = dot(x, want_grad, in);
        double slack = check_gamma(TARN_F64, (double)(in + out + 2 * window)) * 2 * (double)in;
        CHECK(fabs(forward_dot - backward_dot) <= slack, "<avg(x), g> is %.17g, <x, backward(g)> is %.17g", forward_dot,
                backward_dot); /* C16 */
        bound = scaled(bound, in, check_gamma(TARN_F32, (double)(window + 1)));
        for (int64_t i = 0; i < out; i++) { /* sums in double, rounded once */
            mean_size[i] = check_unit(TARN_F32) * fabs(want[i])
                    + check_gamma(TARN_F64, (double)(window + 3)) * mean_size[i];
        }
        CHECK_EACH(v, "avgpool2d_forward") {
            a = base;
            a.input = check_reals(v->dtype, x, in);
            void *single = a.output = check_alloc_reals(v->dtype, out);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("output", v->dtype, a.output, want, mean_size, out);
            a.output = check_alloc_reals(v->dtype, out);
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("output of another split", a.output, single, out * check_size(v->dtype));
        }
        CHECK_EACH(v, "avgpool2d_backward") {
            a = base;
            a.grad_output = check_reals(v->dtype, g, out);
            void *single = a.grad_input = check_alloc_reals(v->dtype, in);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("grad_input", v->dtype, a.grad_input, want_grad, bound, in);
            a.grad_input = check_alloc_reals(v->dtype, in);
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("grad_input of another split", a.grad_input, single, in * check_size(v->dtype));
        }
        check_release();
    }
}

static void max_pooling_an_upsampled_image_restores_it(void) { /* C15 */
    enum { H = 5, W = 3, C = 19 };
    double *x = check_uniforms(H * W * C, -1, 1), *up = check_alloc_reals(TARN_F64, 4 * H * W * C);
    for (int y = 0; y < 2 * H; y++) {
        for (int z = 0; z < 2 * W; z++) {
            memcpy(up + (y * 2 * W + z) * C, x + (y / 2 * W + z / 2) * C, C * sizeof(double));
        }
    }
    CHECK_EACH(v, "maxpool2d_forward") {
        tarn_pool2d_args a = args_of((shape){1, 2 * H, 2 * W, C, 2, 2, 2, 2, 0, 0, 1, 1});
        a.input = check_reals(v->dtype, up, 4 * H * W * C);
        a.output = check_alloc_reals(v->dtype, H * W * C);
        a.index = check_alloc(H * W * C);
        check_runs(v, &a, CHECK_WHOLE);
        check_bits("output", a.output, check_reals(v->dtype, x, H * W * C), H * W * C * check_size(v->dtype));
        for (int i = 0; i < H * W * C; i++) {
            CHECK(((uint8_t *)a.index)[i] == 0, "a tie went to element %d", ((uint8_t *)a.index)[i]);
        }
    }
}

static void each_window_sends_its_gradient_to_one_element(void) { /* C15 */
    for (int k = 0; k < CASES; k++) {
        tarn_pool2d_args base = next_case(k);
        int64_t in = inputs(&base), out = outputs(&base);
        double *x = check_uniforms(in, -1, 1), *ones = check_alloc_reals(TARN_F64, out);
        for (int64_t i = 0; i < out; i++) {
            ones[i] = 1;
        }
        CHECK_EACH(v, "maxpool2d_forward") {
            tarn_pool2d_args a = base;
            a.input = check_reals(v->dtype, x, in), a.output = check_alloc_reals(v->dtype, out),
                    a.index = check_alloc(out);
            check_runs(v, &a, CHECK_WHOLE);
            CHECK_EACH(backward, "maxpool2d_backward") {
                if (backward->dtype == v->dtype && backward->level == v->level) {
                    a.grad_output = check_reals(v->dtype, ones, out), a.grad_input = check_alloc_reals(v->dtype, in);
                    check_runs(backward, &a, CHECK_WHOLE);
                    double sum = 0;
                    for (int64_t i = 0; i < in; i++) {
                        sum += check_get(v->dtype, a.grad_input, i);
                    }
                    CHECK(sum == (double)out, "sum of grad_input is %g for %lld windows", sum, (long long)out);
                }
            }
        }
        check_release();
    }
}

static void the_average_of_a_constant_is_the_constant(void) { /* C16 */
    for (int k = 0; k < CASES; k++) {
        tarn_pool2d_args base = next_case(k);
        if (k == 0) { /* a large window that is the image */
            base = args_of((shape){1, 56, 56, 37, 56, 56, 1, 1, 0, 0, 1, 1});
        }
        int64_t in = inputs(&base), out = outputs(&base);
        double constant = check_uniform(-3, 3), *x = check_alloc_reals(TARN_F64, in);
        for (int64_t i = 0; i < in; i++) {
            x[i] = constant;
        }
        CHECK_EACH(v, "avgpool2d_forward") {
            tarn_pool2d_args a = base;
            a.input = check_reals(v->dtype, x, in), a.output = check_alloc_reals(v->dtype, out);
            check_runs(v, &a, CHECK_WHOLE);
            for (int64_t i = 0; i < out; i++) {
                CHECK(check_get(v->dtype, a.output, i) == constant, "output[%lld] is %.17g, want %.17g", (long long)i,
                        check_get(v->dtype, a.output, i), constant);
            }
        }
        check_release();
    }
}

static void a_damaged_index_stays_inside_the_image(void) {
    tarn_pool2d_args base = args_of((shape){1, 6, 6, 21, 2, 2, 2, 2, 0, 0, 1, 1});
    int64_t in = inputs(&base), out = outputs(&base);
    CHECK_EACH(v, "maxpool2d_backward") {
        tarn_pool2d_args a = base;
        a.index = check_alloc(out); /* all 0xFF: no element of the window */
        a.grad_output = check_reals(v->dtype, check_uniforms(out, -1, 1), out);
        a.grad_input = check_alloc_reals(v->dtype, in);
        check_runs(v, &a, CHECK_WHOLE);
        for (int64_t i = 0; i < in; i++) {
            CHECK(check_get(v->dtype, a.grad_input, i) == 0, "grad_input[%lld]", (long long)i);
        }
    }
}

static void nonsense_is_refused(void) {
    static const char *const ops[] = {"maxpool2d_forward", "maxpool2d_backward", "avgpool2d_forward",
            "avgpool2d_backward"};
    float x[1];
    for (int k = 0; k < 4; k++) {
        CHECK_EACH(v, ops[k]) {
            tarn_pool2d_args good = args_of((shape){2, 8, 8, 3, 3, 3, 2, 2, 1, 1, 1, 1}), a;
            good.input = good.output = good.index = good.grad_output = good.grad_input = x;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = -1);
            REFUSED(a.h = 0);
            REFUSED(a.c = 0);
            REFUSED(a.kh = 0);
            REFUSED(a.sw = 0);
            REFUSED(a.dh = 0);
            REFUSED(a.pt = -1);
            REFUSED(a.pt = 3);  /* the first window would lie above the image */
            REFUSED(a.oh = 6);  /* the last one below */
            REFUSED(a.ow = INT64_MAX);
            REFUSED(a.c = INT64_MAX / 4);
            REFUSED((a.h = 2, a.oh = 1, a.kh = 2, a.dh = 3, a.pt = 1)); /* the window steps over the image */
            if (k < 2) {
                REFUSED((a.h = a.w = 17, a.kh = a.kw = 17, a.oh = a.ow = 1, a.pt = a.pl = 0));
            }
            a = good;
            a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"max_equals_reference", max_equals_reference}, {"average_equals_reference", average_equals_reference},
        {"max_pooling_an_upsampled_image_restores_it", max_pooling_an_upsampled_image_restores_it},
        {"each_window_sends_its_gradient_to_one_element", each_window_sends_its_gradient_to_one_element},
        {"the_average_of_a_constant_is_the_constant", the_average_of_a_constant_is_the_constant},
        {"a_damaged_index_stays_inside_the_image", a_damaged_index_stays_inside_the_image},
        {"nonsense_is_refused", nonsense_is_refused})
