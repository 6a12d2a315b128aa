/* Group normalisation: every level against the reference, and METHODS N9 to N11. */
#include "check.h"

#define EPS 1e-5

typedef struct {
    int64_t n, hw, c, groups;
} shape;

static const shape shapes[] = {{1, 1, 1, 1}, {3, 1, 7, 1}, {2, 5, 6, 3}, {70, 1, 33, 1}, {5, 4, 15, 15}, {2, 9, 16, 1},
    {4, 49, 34, 2}, {3, 31, 32, 8}, {2, 13, 96, 3}, {2, 225, 64, 64}, {1, 37, 131, 131}, {3, 600, 80, 5},
    {2, 1100, 35, 7}, {1, 300, 144, 2}, {9, 64, 256, 32}, {40, 2, 300, 1}};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

/* What a case is made of, in double; every number is exact as a float. */
typedef struct {
    int64_t count, c;
    double *x, *weight, *bias, *grad_output;
} data;

static data random_data(shape s) {
    data d = {.count = s.n * s.hw * s.c, .c = s.c};
    d.x = check_uniforms(d.count, -2, 3);
    for (int64_t i = 0; i < d.count; i++) { /* groups of very different means */
        d.x[i] = (float)(d.x[i] + (double)(i % s.c / (s.c / s.groups) % 5 * 50));
    }
    d.weight = check_uniforms(s.c, -2, 2);
    d.bias = check_uniforms(s.c, -1, 1);
    d.grad_output = check_uniforms(d.count, -1, 1);
    return d;
}

/* Arguments for a variant of a number type; all outputs are fresh. */
static tarn_groupnorm_args args_for(int64_t dtype, shape s, const data *d) {
    return (tarn_groupnorm_args){.n = s.n, .hw = s.hw, .c = s.c, .groups = s.groups, .eps = EPS,
        .input = check_reals(dtype, d->x, d->count), .output = check_alloc_reals(dtype, d->count),
        .weight = check_reals(dtype, d->weight, d->c), .bias = check_reals(dtype, d->bias, d->c),
        .mean = check_alloc_reals(dtype, s.n * s.groups), .inv_std = check_alloc_reals(dtype, s.n * s.groups),
        .grad_output = check_reals(dtype, d->grad_output, d->count), .grad_input = check_alloc_reals(dtype, d->count)};
}

/* The group of element i, counted over all examples. */
static int64_t group_of(shape s, int64_t i) {
    return i / (s.hw * s.c) * s.groups + i % s.c / (s.c / s.groups);
}

static void each_shape(void (*body)(shape)) {
    for (int i = 0; i < SHAPES; i++) {
        const shape s = shapes[i];
        check_case("n=%lld hw=%lld c=%lld groups=%lld", (long long)s.n, (long long)s.hw, (long long)s.c,
                (long long)s.groups);
        body(s);
        check_release();
    }
}

/* N4: an image has the same bits alone, without saved statistics, and inside any batch. */
static void check_alone(const tarn_variant *v, tarn_groupnorm_args a) {
    const int64_t image = a.hw * a.c, size = check_size(v->dtype), n = a.n;
    char *batch = a.output, *input = a.input;
    a.n = 1;
    a.mean = a.inv_std = NULL;
    a.output = check_alloc_reals(v->dtype, image);
    for (int64_t i = 0; i < n; i++) {
        a.input = input + i * image * size;
        check_runs(v, &a, CHECK_RANDOM);
        check_bits("image alone", a.output, batch + i * image * size, image * size);
    }
}

static void forward_case(shape s) {
    data d = random_data(s);
    const int64_t stats = s.n * s.groups;
    tarn_groupnorm_args want = args_for(TARN_F64, s, &d);
    want.activation = TARN_RELU;
    check_runs(check_reference("groupnorm_forward"), &want, CHECK_WHOLE);
    double *bound = check_alloc_reals(TARN_F64, d.count), *bound_mean = check_alloc_reals(TARN_F64, stats);
    double *bound_std = check_alloc_reals(TARN_F64, stats);
    const double *mean = want.mean, *inv_std = want.inv_std, sums = check_gamma(TARN_F64, (double)(s.hw * s.c));
    for (int64_t g = 0; g < stats; g++) { /* in double, rounded once; sums of squares take off at most (range * inv_std)^2 */
        bound_mean[g] = check_gamma(TARN_F32, 2) * fabs(mean[g]) + sums * 5;
        bound_std[g] = inv_std[g] * (check_gamma(TARN_F32, 2) + sums * (1 + 25 * inv_std[g] * inv_std[g]));
    }
    for (int64_t i = 0; i < d.count; i++) { /* mean, scale, difference, product and sum are each rounded once */
        const int64_t c = i % s.c, g = group_of(s, i);
        const double off = fabs(d.x[i] - mean[g]), scale = fabs(d.weight[c]) * inv_std[g];
        bound[i] = check_gamma(TARN_F32, 6) * (scale * (fabs(mean[g]) + off) + fabs(d.bias[c]))
            + fabs(d.weight[c]) * (inv_std[g] * bound_mean[g] + off * bound_std[g]);
    }
    CHECK_EACH(v, "groupnorm_forward") {
        tarn_groupnorm_args a = args_for(v->dtype, s, &d);
        a.activation = TARN_RELU;
        check_runs(v, &a, CHECK_SINGLE);
        check_within("output", v->dtype, a.output, want.output, bound, d.count);
        check_within("mean", v->dtype, a.mean, want.mean, bound_mean, stats);
        check_within("inv_std", v->dtype, a.inv_std, want.inv_std, bound_std, stats);
        check_alone(v, a);
    }
}

static void forward_equals_reference(void) { each_shape(forward_case); }

/* The sums of each group of each example that its gradients take, and of their sizes. */
typedef struct {
    double g, gx, size_g, size_gx;
} sums;

static void backward_case(shape s) {
    data d = random_data(s);
    const int64_t stats = s.n * s.groups;
    tarn_groupnorm_args want = args_for(TARN_F64, s, &d);
    check_runs(check_reference("groupnorm_forward"), &want, CHECK_WHOLE);
    double *mean = want.mean, *inv_std = want.inv_std, *start = check_uniforms(2 * s.c, -1, 1);
    for (int64_t g = 0; g < stats; g++) { /* all levels get the same saved statistics */
        mean[g] = (float)mean[g], inv_std[g] = (float)inv_std[g];
    }
    want.grad_weight = check_reals(TARN_F64, start, s.c), want.grad_bias = check_reals(TARN_F64, start + s.c, s.c);
    check_runs(check_reference("groupnorm_backward"), &want, CHECK_WHOLE);

    const double m = (double)(s.hw * (s.c / s.groups)), u = check_gamma(TARN_F32, 1);
    const double in_double = check_gamma(TARN_F64, (double)(s.n * s.hw * s.c) + 8);
    double *bound = check_alloc_reals(TARN_F64, d.count), *bound_weight = check_alloc_reals(TARN_F64, s.c);
    double *bound_bias = check_alloc_reals(TARN_F64, s.c);
    sums *of = memset(check_alloc(stats * (int64_t)sizeof(sums)), 0, (size_t)stats * sizeof(sums));
    for (int64_t c = 0; c < s.c; c++) {
        bound_weight[c] = u * fabs(((double *)want.grad_weight)[c]) + in_double;
        bound_bias[c] = u * fabs(((double *)want.grad_bias)[c]) + in_double;
    }
    for (int64_t i = 0; i < d.count; i++) {
        const int64_t c = i % s.c, k = group_of(s, i);
        const double g = d.grad_output[i], xhat = (d.x[i] - mean[k]) * inv_std[k];
        of[k].g += g * d.weight[c], of[k].gx += g * d.weight[c] * xhat;
        of[k].size_g += fabs(g * d.weight[c]), of[k].size_gx += fabs(g * d.weight[c] * xhat);
        bound_weight[c] += in_double * fabs(g * xhat), bound_bias[c] += in_double * fabs(g);
    }
    for (int64_t i = 0; i < d.count; i++) { /* scale, shift, slope, difference, two products and two sums */
        const sums t = of[group_of(s, i)];
        const double inv = inv_std[group_of(s, i)], xhat = fabs(d.x[i] - mean[group_of(s, i)]) * inv;
        const double terms = fabs(d.weight[i % s.c] * d.grad_output[i]) + (fabs(t.g) + xhat * fabs(t.gx)) / m;
        bound[i] = inv * (check_gamma(TARN_F32, 6) * terms + in_double * (t.size_g + xhat * t.size_gx) / m);
    }
    CHECK_EACH(v, "groupnorm_backward") {
        tarn_groupnorm_args a = args_for(v->dtype, s, &d), again;
        a.mean = check_reals(v->dtype, mean, stats), a.inv_std = check_reals(v->dtype, inv_std, stats);
        a.grad_weight = check_reals(v->dtype, start, s.c), a.grad_bias = check_reals(v->dtype, start + s.c, s.c);
        check_runs(v, &a, CHECK_SINGLE);
        check_within("grad_input", v->dtype, a.grad_input, want.grad_input, bound, d.count);
        check_within("grad_weight", v->dtype, a.grad_weight, want.grad_weight, bound_weight, s.c);
        check_within("grad_bias", v->dtype, a.grad_bias, want.grad_bias, bound_bias, s.c);
        again = a; /* in place, parameters frozen, another split */
        again.grad_input = again.grad_output = check_reals(v->dtype, d.grad_output, d.count);
        again.grad_weight = again.grad_bias = NULL;
        check_runs(v, &again, CHECK_RANDOM);
        check_bits("grad_input in place", again.grad_input, a.grad_input, d.count * check_size(v->dtype));
    }
}

static void backward_equals_reference(void) { each_shape(backward_case); }

/* sum of output * grad_output, in double */
static double objective(tarn_groupnorm_args *a, const double *g, int64_t count) {
    double sum = 0;
    check_runs(check_reference("groupnorm_forward"), a, CHECK_WHOLE);
    for (int64_t i = 0; i < count; i++) {
        sum += ((double *)a->output)[i] * g[i];
    }
    return sum;
}

static void gradients_equal_finite_differences(void) { /* K1 */
    shape s = {2, 3, 6, 2};
    data d = random_data(s);
    tarn_groupnorm_args a = args_for(TARN_F64, s, &d);
    a.grad_weight = memset(check_alloc_reals(TARN_F64, s.c), 0, (size_t)s.c * 8);
    a.grad_bias = memset(check_alloc_reals(TARN_F64, s.c), 0, (size_t)s.c * 8);
    objective(&a, d.grad_output, d.count);
    check_runs(check_reference("groupnorm_backward"), &a, CHECK_WHOLE);
    struct {
        const char *name;
        double *value, *grad;
        int64_t count;
    } parts[] = {{"input", a.input, a.grad_input, d.count}, {"weight", a.weight, a.grad_weight, s.c},
        {"bias", a.bias, a.grad_bias, s.c}};
    for (int p = 0; p < 3; p++) {
        for (int64_t i = 0; i < parts[p].count; i++) {
            const double h = 1e-5, at = parts[p].value[i];
            parts[p].value[i] = at + h;
            const double above = objective(&a, d.grad_output, d.count);
            parts[p].value[i] = at - h;
            const double numeric = (above - objective(&a, d.grad_output, d.count)) / (2 * h);
            parts[p].value[i] = at;
            CHECK(fabs(numeric - parts[p].grad[i]) <= 1e-7 * fmax(1, fabs(numeric)),
                    "%s[%lld]: backward %g, difference %g", parts[p].name, (long long)i, parts[p].grad[i], numeric);
        }
    }
}

static void a_constant_group_becomes_its_bias_and_nan_stays_in_its_group(void) {
    shape s = {2, 50, 36, 3};
    data d = random_data(s);
    for (int64_t i = 0; i < d.count; i++) {
        d.x[i] = group_of(s, i) == 1 ? 1e6 : group_of(s, i) == 5 ? NAN : d.x[i];
    }
    CHECK_EACH(v, "groupnorm_forward") {
        tarn_groupnorm_args a = args_for(v->dtype, s, &d);
        check_runs(v, &a, CHECK_WHOLE);
        for (int64_t i = 0; i < d.count; i++) {
            const double y = check_get(v->dtype, a.output, i);
            CHECK(group_of(s, i) != 1 || y == d.bias[i % s.c], "constant group: %g, bias %g", y, d.bias[i % s.c]);
            CHECK((group_of(s, i) == 5) == !!isnan(y), "group %lld is %g", (long long)group_of(s, i), y);
        }
    }
}

static void nonsense_is_refused(void) {
    static const char *const ops[] = {"groupnorm_forward", "groupnorm_backward"};
    float x[1];
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, ops[k]) {
            tarn_groupnorm_args good = {.n = 2, .hw = 3, .c = 6, .groups = 2, .eps = EPS, .activation = 1, .input = x,
                .output = x, .weight = x, .bias = x, .mean = x, .inv_std = x, .grad_output = x, .grad_input = x}, a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = -1);
            REFUSED(a.hw = 0);
            REFUSED(a.c = 0);
            REFUSED(a.c = INT64_MAX);
            REFUSED(a.groups = 0);
            REFUSED(a.groups = 4);
            REFUSED(a.groups = 12);
            REFUSED(a.eps = NAN);
            REFUSED(a.activation = TARN_SCALE + 1);
            REFUSED(a.input = NULL);
            REFUSED(a.weight = NULL);
            REFUSED(a.mean = NULL); /* inv_std alone */
            a = good, a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"forward_equals_reference", forward_equals_reference},
        {"backward_equals_reference", backward_equals_reference},
        {"gradients_equal_finite_differences", gradients_equal_finite_differences},
        {"a_constant_group_becomes_its_bias_and_nan_stays_in_its_group",
                a_constant_group_becomes_its_bias_and_nan_stays_in_its_group},
        {"nonsense_is_refused", nonsense_is_refused})
