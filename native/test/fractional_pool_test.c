/* Fractional max pooling: steps, windows against plain max pooling, gradients. METHODS G14. */
#include "check.h"

typedef struct {
    int64_t n, h, w, c, oh, ow;
} shape;

static const shape shapes[] = {{2, 7, 9, 3, 5, 6}, {1, 25, 13, 17, 18, 8}, {3, 4, 4, 2, 2, 2}, {1, 5, 5, 1, 3, 5},
    {1, 1, 1, 4, 1, 1}, {2, 11, 2, 5, 6, 1}, {1, 3, 31, 8, 2, 22}};
enum { SHAPES = sizeof shapes / sizeof shapes[0], STEPS = 3, CASES = SHAPES * STEPS * 2 };

static int64_t the_step = 9;

static tarn_fractional_args next_case(int k) {
    shape s = shapes[k / STEPS / 2];
    tarn_fractional_args a = {.n = s.n, .h = s.h, .w = s.w, .c = s.c, .oh = s.oh, .ow = s.ow, .overlap = k % 2,
        .steps = k / 2 % STEPS, .seed = (int64_t)check_random(), .stream = 4, .step = &the_step};
    a.rows = check_alloc((a.oh + 1) * 8), a.columns = check_alloc((a.ow + 1) * 8);
    check_case("n=%lld %lldx%lldx%lld to %lldx%lld overlap=%lld steps=%lld", (long long)a.n, (long long)a.h,
            (long long)a.w, (long long)a.c, (long long)a.oh, (long long)a.ow, (long long)a.overlap, (long long)a.steps);
    return a;
}
static int64_t inputs(const tarn_fractional_args *a) { return a->n * a->h * a->w * a->c; }
static int64_t outputs(const tarn_fractional_args *a) { return a->n * a->oh * a->ow * a->c; }

/* Numbers with ties, infinities and a NaN here and there. */
static double *values(int64_t count) {
    static const double awkward[] = {NAN, INFINITY, -INFINITY, 0, -0.0, 1, 1, 1};
    double *x = check_uniforms(count, -2, 2);
    for (int64_t i = 0; i < count; i += 1 + (int64_t)(check_random() % 9)) {
        x[i] = awkward[check_random() % 8];
    }
    return x;
}

static void steps_are_ones_and_twos_and_add_up(const char *what, const int64_t *starts, int64_t out, int64_t extent) {
    CHECK(starts[0] == 0 && starts[out] == extent, "%s from %lld to %lld", what, (long long)starts[0],
            (long long)starts[out]);
    for (int64_t i = 0; i < out; i++) {
        int64_t step = starts[i + 1] - starts[i];
        CHECK(step == 1 || step == 2, "step %lld of %s is %lld", (long long)i, what, (long long)step);
    }
}

/* Each window is pooled alone by plain max pooling of an image that is the window. */
static void every_window_is_a_maximum(void) {
    for (int k = 0; k < CASES; k++) {
        tarn_fractional_args base = next_case(k);
        int64_t in = inputs(&base), out = outputs(&base), size = 2 + base.overlap;
        double *x = values(in);
        CHECK_EACH(v, "fractionalpool2d_forward") {
            tarn_fractional_args a = base;
            a.input = check_reals(v->dtype, x, in), a.output = check_alloc_reals(v->dtype, out);
            a.index = check_alloc(out);
            check_runs(v, &a, CHECK_SINGLE);
            const int64_t *rows = a.rows, *columns = a.columns;
            steps_are_ones_and_twos_and_add_up("rows", rows, a.oh, a.h);
            steps_are_ones_and_twos_and_add_up("columns", columns, a.ow, a.w);
            for (int64_t o = 0; o < out; o++) {
                int64_t c = o % a.c, xo = o / a.c % a.ow, y = o / a.c / a.ow % a.oh, image = o / a.c / a.ow / a.oh;
                int64_t last = rows[y + 1] + a.overlap, right = columns[xo + 1] + a.overlap;
                int64_t kh = (last < a.h ? last : a.h) - rows[y], kw = (right < a.w ? right : a.w) - columns[xo];
                double window[9], best;
                for (int64_t p = 0; p < kh * kw; p++) {
                    window[p] = x[((image * a.h + rows[y] + p / kw) * a.w + columns[xo] + p % kw) * a.c + c];
                }
                uint8_t winner;
                tarn_pool2d_args one = {.n = 1, .h = kh, .w = kw, .c = 1, .oh = 1, .ow = 1, .kh = kh, .kw = kw,
                    .sh = 1, .sw = 1, .dh = 1, .dw = 1, .input = window, .output = &best, .index = &winner};
                check_run(check_reference("maxpool2d_forward"), &one, CHECK_WHOLE);
                CHECK(check_near(v->dtype, check_get(v->dtype, a.output, o), best, 0), "output %lld", (long long)o);
                CHECK(((uint8_t *)a.index)[o] == winner / kw * size + winner % kw, "index %lld", (long long)o);
            }
            void *output = a.output;
            a.output = check_alloc_reals(v->dtype, out), a.index = NULL;
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("output without index, of another split", a.output, output, out * check_size(v->dtype));
        }
        check_release();
    }
}

static void bf16_is_exact(void) {
    for (int k = 0; k < CASES; k++) {
        tarn_fractional_args a = next_case(k);
        int64_t in = inputs(&a), out = outputs(&a);
        double *x = values(in), *want = check_alloc_reals(TARN_F64, out);
        for (int64_t i = 0; i < in; i++) {
            x[i] = rint(x[i] * 64) / 64;
        }
        a.input = x, a.output = want;
        check_runs(check_reference("fractionalpool2d_forward"), &a, CHECK_WHOLE);
        CHECK_EACH_BF16(v, "fractionalpool2d_forward") {
            a.input = check_reals(TARN_BF16, x, in), a.output = check_alloc_reals(TARN_BF16, out);
            check_runs(v, &a, CHECK_WHOLE);
            for (int64_t o = 0; o < out; o++) {
                CHECK(check_near(TARN_BF16, check_get(TARN_BF16, a.output, o), want[o], 0), "output %lld",
                        (long long)o);
            }
        }
        check_release();
    }
}

static void orders_of_random_steps_are_equally_likely(void) {
    enum { EXTENT = 4, OUT = 3, DRAWS = 6000 }; /* one step of 2: three orders */
    int64_t rows[OUT + 1], columns[OUT + 1], seen[2][OUT] = {{0}};
    float x[EXTENT * EXTENT] = {0}, y[OUT * OUT];
    const int64_t before = the_step;
    const tarn_variant *v = check_next("fractionalpool2d_forward", NULL, 0);
    if (!v || v->dtype != TARN_F32) {
        return;
    }
    for (the_step = 0; the_step < DRAWS; the_step++) {
        tarn_fractional_args a = {.n = 1, .h = EXTENT, .w = EXTENT, .c = 1, .oh = OUT, .ow = OUT,
            .steps = TARN_RANDOM_STEPS, .step = &the_step, .seed = 3, .input = x, .output = y, .rows = rows,
            .columns = columns};
        check_run(v, &a, CHECK_WHOLE);
        for (int i = 0; i < OUT; i++) {
            seen[0][i] += rows[i + 1] - rows[i] == 2;
            seen[1][i] += columns[i + 1] - columns[i] == 2;
        }
    }
    the_step = before;
    for (int i = 0; i < 2 * OUT; i++) {
        int64_t count = seen[i / OUT][i % OUT];
        CHECK(fabs((double)count - DRAWS / 3.0) <= 5 * sqrt(DRAWS * 2 / 9.0), "axis %d, place %d: %lld", i / OUT, i % OUT,
                (long long)count);
    }
}

/* Disjoint windows of exactly two are plain 2x2 pooling, forward and backward, whatever the steps. */
static void half_the_size_is_plain_pooling(void) {
    enum { H = 6, W = 10, C = 19, IN = 2 * H * W * C, OUT = IN / 4 };
    double *x = values(IN), *g = check_uniforms(OUT, -1, 1);
    for (int64_t steps = 0; steps < STEPS; steps++) {
        CHECK_EACH(v, "fractionalpool2d_forward") {
            int64_t t = v->dtype, rows[H / 2 + 1], columns[W / 2 + 1];
            tarn_fractional_args a = {.n = 2, .h = H, .w = W, .c = C, .oh = H / 2, .ow = W / 2, .steps = steps, .seed = 8,
                .step = &the_step, .rows = rows, .columns = columns, .input = check_reals(t, x, IN),
                .output = check_alloc_reals(t, OUT), .index = check_alloc(OUT), .grad_output = check_reals(t, g, OUT),
                .grad_input = check_alloc_reals(t, IN)};
            tarn_pool2d_args p = {.n = 2, .h = H, .w = W, .c = C, .oh = H / 2, .ow = W / 2, .kh = 2, .kw = 2,
                .sh = 2, .sw = 2, .dh = 1, .dw = 1, .input = a.input, .output = check_alloc_reals(t, OUT),
                .index = check_alloc(OUT), .grad_output = a.grad_output, .grad_input = check_alloc_reals(t, IN)};
            check_runs(v, &a, CHECK_WHOLE);
            CHECK_EACH(backward, "fractionalpool2d_backward") {
                if (backward->dtype == t) {
                    check_runs(backward, &a, CHECK_WHOLE);
                }
            }
            CHECK_EACH(plain, "maxpool2d_forward") {
                if (plain->dtype == t) {
                    check_runs(plain, &p, CHECK_WHOLE);
                    check_bits("output", a.output, p.output, OUT * check_size(t));
                    check_bits("index", a.index, p.index, OUT);
                }
            }
            CHECK_EACH(plain, "maxpool2d_backward") {
                if (plain->dtype == t) {
                    check_runs(plain, &p, CHECK_WHOLE);
                    check_bits("grad_input", a.grad_input, p.grad_input, IN * check_size(t));
                }
            }
        }
    }
}

/* <pool(x), g> = <x, backward(g)>, since the output is a sum of chosen elements; and ones arrive whole. */
static void gradients_go_to_the_winners(void) {
    for (int k = 0; k < CASES; k++) {
        tarn_fractional_args base = next_case(k);
        int64_t in = inputs(&base), out = outputs(&base);
        double *x = check_uniforms(in, -1, 1), *g = check_uniforms(out, -1, 1);
        CHECK_EACH(v, "fractionalpool2d_backward") {
            CHECK_EACH(forward, "fractionalpool2d_forward") {
                if (forward->dtype != v->dtype) {
                    continue;
                }
                tarn_fractional_args a = base;
                a.input = check_reals(v->dtype, x, in), a.output = check_alloc_reals(v->dtype, out);
                a.index = check_alloc(out);
                check_runs(forward, &a, CHECK_WHOLE);
                a.grad_output = check_reals(v->dtype, g, out);
                void *single = a.grad_input = check_alloc_reals(v->dtype, in);
                check_runs(v, &a, CHECK_SINGLE);
                double there = 0, back = 0;
                for (int64_t i = 0; i < out; i++) {
                    there += check_get(v->dtype, a.output, i) * g[i];
                }
                for (int64_t i = 0; i < in; i++) {
                    back += check_get(v->dtype, a.grad_input, i) * x[i];
                }
                /* an element adds up the gradients of at most four windows; the rest is in double */
                double slack = (check_gamma(v->dtype, 4) + check_gamma(TARN_F64, (double)(in + out))) * (double)out;
                CHECK(fabs(there - back) <= slack, "<y, g> is %.17g, <x, backward(g)> is %.17g", there, back);
                a.grad_input = check_alloc_reals(v->dtype, in);
                check_runs(v, &a, CHECK_RANDOM);
                check_bits("grad_input of another split", a.grad_input, single, in * check_size(v->dtype));
            }
        }
        check_release();
    }
}

static void nonsense_is_refused(void) {
    float x[1];
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, k ? "fractionalpool2d_backward" : "fractionalpool2d_forward") {
            tarn_fractional_args good = {.n = 2, .h = 9, .w = 8, .c = 3, .oh = 5, .ow = 8, .steps = 1,
                .step = &the_step, .rows = x, .columns = x, .input = x, .output = x, .index = x,
                .grad_output = x, .grad_input = x}, a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = -1);
            REFUSED(a.n = INT64_MAX);
            REFUSED(a.c = 0);
            REFUSED(a.oh = 4); /* steps of 2 do not reach the end */
            REFUSED(a.ow = 9);
            REFUSED(a.h = INT64_MAX);
            REFUSED((a.w = (1 << 20) + 2, a.ow = 1 << 20));
            REFUSED(a.overlap = 2);
            REFUSED(a.steps = 3);
            REFUSED(a.steps = -1);
            REFUSED(a.rows = NULL);
            REFUSED(a.columns = NULL);
            REFUSED(a.step = NULL);
            a = good;
            a.n = 0, a.rows = check_alloc(6 * 8), a.columns = check_alloc(9 * 8);
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"every_window_is_a_maximum", every_window_is_a_maximum}, {"bf16_is_exact", bf16_is_exact},
        {"orders_of_random_steps_are_equally_likely", orders_of_random_steps_are_equally_likely},
        {"half_the_size_is_plain_pooling", half_the_size_is_plain_pooling},
        {"gradients_go_to_the_winners", gradients_go_to_the_winners}, {"nonsense_is_refused", nonsense_is_refused})
