/* Stochastic pooling: what is drawn and how often, means, windows without weight, gradients. METHODS G13. */
#include "check.h"
#include "dropout/philox.h"

enum { NOBODY = 255 };

static tarn_pool2d_args args_of(
        int64_t n, int64_t h, int64_t w, int64_t c, int64_t kernel, int64_t stride, int64_t padding) {
    return (tarn_pool2d_args){.n = n, .h = h, .w = w, .c = c, .kh = kernel, .kw = kernel, .sh = stride, .sw = stride,
        .pt = padding, .pl = padding, .dh = 1, .dw = 1, .oh = (h + 2 * padding - kernel) / stride + 1,
        .ow = (w + 2 * padding - kernel) / stride + 1};
}

static const tarn_pool2d_args *shapes(int k) {
    static tarn_pool2d_args a;
    static const int64_t sizes[][7] = {{2, 4, 6, 3, 2, 2, 0}, {1, 5, 7, 17, 3, 2, 1}, {3, 7, 7, 5, 3, 1, 1},
        {1, 1, 1, 1, 1, 1, 0}, {2, 15, 15, 3, 15, 1, 0}};
    if (k == (int)(sizeof sizes / sizeof sizes[0])) {
        return NULL;
    }
    const int64_t *s = sizes[k];
    a = args_of(s[0], s[1], s[2], s[3], s[4], s[5], s[6]);
    check_case("n=%lld %lldx%lldx%lld window %lld", (long long)a.n, (long long)a.h, (long long)a.w, (long long)a.c,
            (long long)a.kh);
    return &a;
}
static int64_t inputs(const tarn_pool2d_args *a) { return a->n * a->h * a->w * a->c; }
static int64_t outputs(const tarn_pool2d_args *a) { return a->n * a->oh * a->ow * a->c; }

/* Activations, half of them zero and some negative, which count as zero. */
static double *activations(int64_t count) {
    double *x = check_uniforms(count, -2, 2);
    for (int64_t i = 0; i < count; i++) {
        x[i] = check_random() % 4 == 0 ? 0 : x[i];
    }
    return x;
}

/* The word that decides output o, from the documented definition. */
static uint32_t word_of(const tarn_pool2d_args *a, int64_t step, int64_t o) {
    uint32_t word[4] = {(uint32_t)(o / 4), (uint32_t)((uint64_t)step >> 32), (uint32_t)step, (uint32_t)a->stream};
    philox4x32(word, (uint32_t)a->seed, (uint32_t)((uint64_t)a->seed >> 32));
    return word[o % 4];
}

/* Weights of the window of output o, by position; 0 outside the image. Returns their sum. */
static double weights(const tarn_pool2d_args *a, const double *x, int64_t o, double *weight) {
    int64_t c = o % a->c, column = o / a->c % a->ow, row = o / a->c / a->ow % a->oh, image = o / a->c / a->ow / a->oh;
    double sum = 0;
    for (int64_t p = 0; p < a->kh * a->kw; p++) {
        int64_t i = row * a->sh - a->pt + p / a->kw, j = column * a->sw - a->pl + p % a->kw;
        int inside = i >= 0 && i < a->h && j >= 0 && j < a->w;
        weight[p] = inside ? fmax(0, x[((image * a->h + i) * a->w + j) * a->c + c]) : 0;
        sum += weight[p];
    }
    return sum;
}

static void draws_what_the_definition_says(void) {
    for (int k = 0; shapes(k); k++) {
        tarn_pool2d_args base = *shapes(k);
        int64_t in = inputs(&base), out = outputs(&base), step = (int64_t)(check_random() >> 1);
        base.seed = (int64_t)check_random(), base.stream = 3, base.step = &step;
        double *x = activations(in), weight[NOBODY];
        CHECK_EACH(v, "stochasticpool2d_forward") {
            tarn_pool2d_args a = base;
            a.input = check_reals(v->dtype, x, in), a.output = check_alloc_reals(v->dtype, out);
            a.index = check_alloc(out);
            check_runs(v, &a, CHECK_SINGLE);
            for (int64_t o = 0; o < out; o++) {
                double sum = weights(&a, x, o, weight), target = word_of(&a, step, o) * 0x1p-32 * sum, below = 0;
                int64_t p = -1;
                while (sum > 0 && below <= target) {
                    below += weight[++p];
                }
                int64_t index = ((uint8_t *)a.index)[o];
                CHECK(index == (p < 0 ? NOBODY : p), "output %lld drew %lld, want %lld", (long long)o, (long long)index,
                        (long long)p);
                CHECK(check_get(v->dtype, a.output, o) == (p < 0 ? 0 : weight[p]), "output %lld", (long long)o);
            }
            void *output = a.output;
            a.output = check_alloc_reals(v->dtype, out), a.index = NULL;
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("output without index, of another split", a.output, output, out * check_size(v->dtype));
        }
        check_release();
    }
}

static void the_mean_is_that_of_what_is_drawn(void) { /* sum p_i a_i, and shares within five standard deviations */
    enum { DRAWS = 20000 };
    tarn_pool2d_args base = args_of(DRAWS, 2, 2, 1, 2, 2, 0);
    const double window[4] = {0.5, 0, 2, 1.5};
    double *x = check_alloc_reals(TARN_F64, 4 * DRAWS);
    for (int i = 0; i < 4 * DRAWS; i++) {
        x[i] = window[i % 4];
    }
    int64_t step = 7;
    base.step = &step, base.seed = 5;
    CHECK_EACH(v, "stochasticpool2d_forward") {
        tarn_pool2d_args a = base;
        a.input = check_reals(v->dtype, x, 4 * DRAWS), a.output = check_alloc_reals(v->dtype, DRAWS);
        a.index = check_alloc(DRAWS);
        check_runs(v, &a, CHECK_WHOLE);
        int64_t drawn[4] = {0};
        for (int i = 0; i < DRAWS; i++) {
            drawn[((uint8_t *)a.index)[i] & 3]++;
        }
        for (int p = 0; p < 4; p++) {
            double share = window[p] / 4, slack = 5 * sqrt(DRAWS * share * (1 - share));
            CHECK(fabs((double)drawn[p] - DRAWS * share) <= slack, "element %d was drawn %lld times", p,
                    (long long)drawn[p]);
        }
    }
    CHECK_EACH(v, "stochasticpool2d_expectation") {
        tarn_pool2d_args a = args_of(1, 2, 2, 1, 2, 2, 0);
        a.input = check_reals(v->dtype, x, 4), a.output = check_alloc_reals(v->dtype, 1);
        check_runs(v, &a, CHECK_WHOLE);
        CHECK(check_get(v->dtype, a.output, 0) == (0.25 + 4 + 2.25) / 4, "mean is %g", check_get(v->dtype, a.output, 0));
    }
}

/* In double a share errs by two roundings, a sum of as many terms by as many; the result is rounded to the type. */
static void expectation_is_sum_of_squares_over_sum(void) {
    for (int k = 0; shapes(k); k++) {
        tarn_pool2d_args base = *shapes(k);
        int64_t in = inputs(&base), out = outputs(&base);
        double *x = activations(in), weight[NOBODY];
        for (int bf16 = 0; bf16 < 2; bf16++) {
            for (int64_t i = 0; bf16 && i < in; i++) { /* as many digits as BF16 holds */
                x[i] = rint(x[i] * 64) / 64;
            }
            for (const tarn_variant *v = check_next("stochasticpool2d_expectation", NULL, bf16); v;
                    v = check_next("stochasticpool2d_expectation", v, bf16)) {
                tarn_pool2d_args a = base;
                a.input = check_reals(v->dtype, x, in), a.output = check_alloc_reals(v->dtype, out);
                check_runs(v, &a, CHECK_RANDOM);
                for (int64_t o = 0; o < out; o++) {
                    double sum = weights(&a, x, o, weight), squares = 0;
                    for (int64_t p = 0; p < a.kh * a.kw; p++) {
                        squares += weight[p] * weight[p];
                    }
                    double want = sum > 0 ? squares / sum : 0;
                    double roundings = 2 * (double)(a.kh * a.kw) + 4, got = check_get(v->dtype, a.output, o);
                    double bound = (check_unit(v->dtype) + 2 * check_gamma(TARN_F64, roundings)) * want;
                    CHECK(check_near(v->dtype, got, want, bound), "output %lld is %.17g, want %.17g", (long long)o,
                            got, want);
                }
            }
        }
        check_release();
    }
}

/* One positive element is the result to the bit; without one it is 0 and nobody gets the gradient; NaN shows. */
static void special_windows(void) {
    static const double windows[][4] = {{0, 0.1f, 0, 0}, {0, 0, 0, 0}, {-1, -2, -0.5, -INFINITY}, {1, NAN, 2, INFINITY},
        {1, 2, INFINITY, 3}, {-1, 0x1p-100, 0, -3}};
    static const double want[] = {0.1f, 0, 0, NAN, INFINITY, 0x1p-100};
    static const int winner[] = {1, NOBODY, NOBODY, 1, 2, 1};
    int64_t step = 1;
    for (int k = 0; k < 6; k++) {
        check_case("window %d", k);
        for (int mean = 0; mean < 2; mean++) {
            CHECK_EACH(v, mean ? "stochasticpool2d_expectation" : "stochasticpool2d_forward") {
                tarn_pool2d_args a = args_of(1, 2, 2, 1, 2, 2, 0);
                a.input = check_reals(v->dtype, windows[k], 4), a.output = check_alloc_reals(v->dtype, 1);
                a.step = &step, a.index = check_alloc(1);
                check_runs(v, &a, CHECK_WHOLE);
                double got = check_get(v->dtype, a.output, 0);
                CHECK(isnan(want[k]) ? isnan(got) : got == want[k], "%g, want %g", got, want[k]);
                CHECK(mean || ((uint8_t *)a.index)[0] == winner[k], "element %d won", ((uint8_t *)a.index)[0]);
            }
        }
    }
}

/* Max pooling's backward: all gradient of windows with weight arrives, at elements that are positive. */
static void gradients_go_to_what_was_drawn(void) {
    for (int k = 0; shapes(k); k++) {
        tarn_pool2d_args a = *shapes(k);
        int64_t in = inputs(&a), out = outputs(&a), step = 2;
        double *x = activations(in), *ones = check_alloc_reals(TARN_F64, out);
        for (int64_t o = 0; o < out; o++) {
            ones[o] = 1;
        }
        a.step = &step, a.input = x, a.output = check_alloc_reals(TARN_F64, out), a.index = check_alloc(out);
        check_runs(check_reference("stochasticpool2d_forward"), &a, CHECK_WHOLE);
        int64_t drawn = 0;
        for (int64_t o = 0; o < out; o++) {
            drawn += ((uint8_t *)a.index)[o] != NOBODY;
        }
        CHECK_EACH(v, "maxpool2d_backward") {
            a.grad_output = check_reals(v->dtype, ones, out), a.grad_input = check_alloc_reals(v->dtype, in);
            check_runs(v, &a, CHECK_WHOLE);
            double sum = 0;
            for (int64_t i = 0; i < in; i++) {
                double g = check_get(v->dtype, a.grad_input, i);
                CHECK(g == 0 || x[i] > 0, "grad_input[%lld] of an element that cannot be drawn", (long long)i);
                sum += g;
            }
            CHECK(sum == (double)drawn, "sum of grad_input is %g, %lld windows drew", sum, (long long)drawn);
        }
        check_release();
    }
}

static void nonsense_is_refused(void) {
    static const char *const ops[] = {"stochasticpool2d_forward", "stochasticpool2d_expectation"};
    float x[1];
    int64_t step = 0;
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, ops[k]) {
            tarn_pool2d_args good = args_of(2, 8, 8, 3, 2, 2, 0), a;
            good.input = good.output = x, good.step = &step;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = -1);
            REFUSED(a.c = 0);
            REFUSED(a.oh = 9);
            REFUSED(a.input = NULL);
            REFUSED((a.h = a.w = a.kh = a.kw = 16, a.oh = a.ow = 1)); /* 256 positions */
            if (k == 0) {
                REFUSED(a.step = NULL);
            }
            a = good;
            a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"draws_what_the_definition_says", draws_what_the_definition_says},
        {"the_mean_is_that_of_what_is_drawn", the_mean_is_that_of_what_is_drawn},
        {"expectation_is_sum_of_squares_over_sum", expectation_is_sum_of_squares_over_sum},
        {"special_windows", special_windows}, {"gradients_go_to_what_was_drawn", gradients_go_to_what_was_drawn},
        {"nonsense_is_refused", nonsense_is_refused})
