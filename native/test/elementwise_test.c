/* Activations and add: every level equals the reference, whatever the size, the split and the aliasing. */
#include "check.h"

static const int64_t sizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 97, 1009, 65535, 65536, 65537, 140001};
#define SIZES ((int)(sizeof sizes / sizeof sizes[0]))

static const char *const ops[] = {"activation_forward", "activation_backward", "add"};

/* Awkward values among ordinary ones. */
static double *values(int64_t count) {
    static const double special[] = {0, -0.0, NAN, INFINITY, -INFINITY, 1, -1, 6, 6.5, FLT_MAX, -FLT_MAX, FLT_MIN,
        -FLT_MIN};
    double *x = check_uniforms(count, -2, 8);
    for (int64_t i = 0; i < count; i += 1 + (int64_t)(check_random() % 7)) {
        x[i] = special[check_random() % (sizeof special / sizeof special[0])];
    }
    return x;
}

/* alpha of each activation */
static const double alphas[] = {0, 0, 0, 0.125, 0, 0, 1.5, 0, 0.75, -0.875};

/*
 * What a float may err at a result y, by units in the last place (two roundings each): one rounding, or that of a vector
 * function (2 units, vec_math_test) with the product before it and after. More where the function is steep in a rounded
 * argument: x / (1 + exp(-alpha x)) takes alpha x, which errs by a rounding of its own size.
 */
static double forward_bound(int64_t act, double x, double y) {
    const double u = check_unit(TARN_F32);
    if (act <= TARN_LEAKY_RELU || act == TARN_SCALE || (x > 0 && act == TARN_ELU)) {
        return u * fabs(y);
    }
    return (8 + (act == TARN_SWISH ? fmin(fabs(x), 88) : 0)) * u * fabs(y);
}

/* Of (y + c) g and the like, with |y| <= 1 and |c| <= 2: three roundings. Swish takes sigmoid, of 8, and four more. */
static double backward_bound(int64_t act, double g) {
    const double u = check_unit(TARN_F32);
    return act <= TARN_RELU6 ? 0 : act == TARN_LEAKY_RELU || act == TARN_SCALE ? u * fabs(g)
            : act == TARN_SWISH ? 2 * 12 * u * fabs(g) : 3 * 3 * u * fabs(g);
}

static void equals_reference(void) {
    for (int k = 0; k < 3; k++) {
        for (int s = 0; s < SIZES; s++) {
            for (int64_t act = 0; act <= TARN_SCALE; act++) {
                int64_t size = sizes[s];
                check_case("%s count=%lld act=%lld", ops[k], (long long)size, (long long)act);
                const int smooth = k == 1 && act > TARN_LEAKY_RELU; /* their results lie in [-1, 1], or near */
                double *a = smooth ? check_uniforms(size, -1, 1) : values(size);
                /* a sum that overflows in float alone is for functions that pass it on */
                double *b = act > TARN_RELU6 ? check_uniforms(size, -2, 8) : values(size), *want = check_alloc_reals(TARN_F64, size);
                double *bound = check_alloc_reals(TARN_F64, size);
                tarn_elementwise_args args = {.n = 1, .count = size, .activation = act, .alpha = alphas[act], .a = a,
                    .b = b, .out = want};
                check_runs(check_reference(ops[k]), &args, CHECK_WHOLE);
                for (int64_t i = 0; i < size; i++) {
                    if (fabs(want[i]) > (double)FLT_MAX) {
                        want[i] = copysign(INFINITY, want[i]); /* the sum overflows in float */
                    }
                    const double x = k == 2 ? a[i] + b[i] : a[i];
                    bound[i] = k == 1 ? backward_bound(act, b[i]) : forward_bound(act, x, want[i]);
                    if (k == 2 && act > TARN_LEAKY_RELU) { /* the sum is rounded, and no function is steeper than 2 */
                        bound[i] += 2 * check_unit(TARN_F32) * fabs(x);
                    }
                }
                CHECK_EACH(v, ops[k]) {
                    if (v->dtype == TARN_F64) {
                        continue;
                    }
                    void *fa = check_reals(v->dtype, a, size), *fb = check_reals(v->dtype, b, size);
                    args.a = fa;
                    args.b = fb;
                    args.out = check_alloc_reals(v->dtype, size);
                    if (check_runs(v, &args, CHECK_SINGLE)) {
                        check_within("out", v->dtype, args.out, want, bound, size);
                        void *out = args.out;
                        args.out = fa; /* in place of a, then of b */
                        check_runs(v, &args, CHECK_RANDOM);
                        check_bits("in place of a", fa, out, size * check_size(v->dtype));
                        args.a = check_reals(v->dtype, a, size);
                        args.out = fb;
                        check_runs(v, &args, CHECK_WHOLE);
                        check_bits("in place of b", fb, out, size * check_size(v->dtype));
                    }
                }
                check_release();
            }
        }
    }
}

static void relu_of_a_number_minus_relu_of_its_opposite_is_the_number(void) { /* METHODS A6 */
    enum { COUNT = 1000 };
    double *x = check_uniforms(COUNT, -3, 3), *minus = check_alloc_reals(TARN_F64, COUNT);
    for (int i = 0; i < COUNT; i++) {
        minus[i] = -x[i];
    }
    CHECK_EACH(v, "activation_forward") {
        void *p = check_alloc_reals(v->dtype, COUNT), *q = check_alloc_reals(v->dtype, COUNT);
        tarn_elementwise_args args = {.n = 10, .count = COUNT / 10, .activation = TARN_RELU,
            .a = check_reals(v->dtype, x, COUNT), .out = p};
        check_runs(v, &args, CHECK_WHOLE);
        args.a = check_reals(v->dtype, minus, COUNT);
        args.out = q;
        check_runs(v, &args, CHECK_WHOLE);
        for (int i = 0; i < COUNT; i++) {
            CHECK(check_get(v->dtype, p, i) - check_get(v->dtype, q, i) == x[i], "x = %g", x[i]);
        }
    }
}

static void relu6_stops_at_six_and_so_does_its_gradient(void) {
    static const double x[] = {-INFINITY, -7, -0.0, 0, 0.5, 5.5, 6, 6.5, 100, INFINITY, NAN};
    static const double want[] = {0, 0, 0, 0, 0.5, 5.5, 6, 6, 6, 6, NAN}, passed[] = {0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0};
    enum { COUNT = sizeof x / sizeof x[0] };
    double ones[COUNT], exact[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) {
        ones[i] = 1;
    }
    CHECK_EACH(v, "activation_forward") {
        tarn_elementwise_args args = {.n = 1, .count = COUNT, .activation = TARN_RELU6,
            .a = check_reals(v->dtype, x, COUNT), .out = check_alloc_reals(v->dtype, COUNT)};
        check_runs(v, &args, CHECK_WHOLE);
        check_within("out", v->dtype, args.out, want, exact, COUNT);
    }
    CHECK_EACH(v, "activation_backward") {
        tarn_elementwise_args args = {.n = 1, .count = COUNT, .activation = TARN_RELU6,
            .a = check_reals(v->dtype, want, COUNT), .b = check_reals(v->dtype, ones, COUNT),
            .out = check_alloc_reals(v->dtype, COUNT)};
        check_runs(v, &args, CHECK_WHOLE);
        check_within("out", v->dtype, args.out, passed, exact, COUNT);
    }
}

static void clear_leaves_zeros(void) {
    for (int s = 0; s < SIZES; s++) {
        CHECK_EACH(v, "clear") {
            tarn_elementwise_args args = {.n = 1, .count = sizes[s], .out = check_alloc_reals(v->dtype, sizes[s])};
            check_runs(v, &args, CHECK_RANDOM);
            for (int64_t i = 0; i < sizes[s]; i++) {
                CHECK(check_get(v->dtype, args.out, i) == 0, "out[%lld]", (long long)i);
            }
            args.out = NULL;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "no out");
        }
        check_release();
    }
}

static void nonsense_is_refused(void) {
    float x[1] = {0};
    for (int k = 0; k < 3; k++) {
        CHECK_EACH(v, ops[k]) {
            tarn_elementwise_args good = {.n = 1, .count = 1, .a = x, .b = x, .out = x}, args = good;
            CHECK(check_plan(v, &args) == TARN_OK, "good arguments");
            args.n = 0;
            CHECK(check_plan(v, &args) == TARN_OK, "an empty batch");
            args.n = -1;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "n = -1");
            args = good;
            args.count = 0;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "count = 0");
            args.count = INT64_MAX / 2;
            args.n = 3;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "a size that overflows");
            args = good;
            args.activation = TARN_SCALE + 1;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "no such activation");
            args = good;
            args.a = NULL;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "no a");
            args = good;
            args.out = NULL;
            CHECK(check_plan(v, &args) == TARN_BAD_ARGUMENT, "no out");
        }
    }
}

CHECK_MAIN({"equals_reference", equals_reference},
        {"relu_of_a_number_minus_relu_of_its_opposite_is_the_number",
                relu_of_a_number_minus_relu_of_its_opposite_is_the_number},
        {"relu6_stops_at_six_and_so_does_its_gradient", relu6_stops_at_six_and_so_does_its_gradient},
        {"clear_leaves_zeros", clear_leaves_zeros}, {"nonsense_is_refused", nonsense_is_refused})
