/* Batch normalisation: every level against the reference, and METHODS N1 to N6. */
#include "check.h"

#define EPS 1e-5
#define KEEP 0.9

typedef struct {
    int64_t n, hw, c;
} shape;

static const shape shapes[] = {{2, 1, 1}, {1, 2, 3}, {3, 5, 7}, {2, 16, 8}, {1, 33, 9}, {5, 7, 15}, {2, 9, 16},
        {4, 49, 17},
    {1, 11, 31}, {2, 31, 32}, {3, 13, 33}, {2, 225, 64}, {1, 37, 131}, {7, 97, 79}, {3, 1500, 16}, {9, 64, 256}};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

/* What a case is made of, in double; every number is exact as a float. */
typedef struct {
    int64_t dtype, rows, count, c;
    double *x, *residual, *weight, *bias, *running_mean, *running_var, *grad_output;
} data;

static data random_data(shape s) {
    data d = {.dtype = TARN_F64, .rows = s.n * s.hw, .count = s.n * s.hw * s.c, .c = s.c};
    d.x = check_uniforms(d.count, -2, 3);
    for (int64_t i = 0; i < d.count; i++) { /* channels of very different means */
        d.x[i] = (float)(d.x[i] + (double)(i % s.c % 5 * 50));
    }
    d.residual = check_uniforms(d.count, -6, 6);
    d.weight = check_uniforms(s.c, -2, 2);
    d.bias = check_uniforms(s.c, -1, 1);
    d.running_mean = check_uniforms(s.c, -1, 1);
    d.running_var = check_uniforms(s.c, 0.5, 2);
    d.grad_output = check_uniforms(d.count, -1, 1);
    return d;
}

/* Arguments for a variant of a number type; all outputs are fresh. */
static tarn_batchnorm_args args_for(int64_t dtype, shape s, const data *d) {
    return (tarn_batchnorm_args){.n = s.n, .hw = s.hw, .c = s.c, .eps = EPS, .keep = KEEP, .correction = 1,
        .input = check_reals(dtype, d->x, d->count), .output = check_alloc_reals(dtype, d->count),
        .weight = check_reals(dtype, d->weight, d->c), .bias = check_reals(dtype, d->bias, d->c),
        .running_mean = check_reals(dtype, d->running_mean, d->c),
        .running_var = check_reals(dtype, d->running_var, d->c),
        .mean = check_alloc_reals(dtype, d->c), .inv_std = check_alloc_reals(dtype, d->c),
        .grad_output = check_reals(dtype, d->grad_output, d->count), .grad_input = check_alloc_reals(dtype, d->count)};
}

static void zero(int64_t dtype, void *p, int64_t count) { memset(p, 0, (size_t)(count * check_size(dtype))); }

/* Calls body for every shape and activation, with and without residual. */
static void each_case(void (*body)(shape, int act, int residual)) {
    for (int i = 0; i < SHAPES; i++) {
        for (int mode = 0; mode < 6; mode++) {
            check_case("n=%lld hw=%lld c=%lld act=%d residual=%d", (long long)shapes[i].n, (long long)shapes[i].hw,
                    (long long)shapes[i].c, mode >> 1, mode & 1);
            body(shapes[i], mode >> 1, mode & 1);
            check_release();
        }
    }
}

/* Bytes of a mask. */
static int64_t mask_bytes(const data *d) { return d->rows * ((d->c + 7) / 8); }

/* Whether the gradient of a result passes the activation. */
static int passes(int act, double y) { return !act || (y > 0 && (act == TARN_RELU || y < 6)); }

/* The mask that belongs to an output. */
static uint8_t *mask_of(const data *d, int act, int64_t dtype, const void *output) {
    uint8_t *mask = memset(check_alloc(mask_bytes(d)), 0, (size_t)mask_bytes(d));
    for (int64_t i = 0; i < d->count; i++) {
        int64_t c = i % d->c;
        mask[i / d->c * ((d->c + 7) / 8) + c / 8] |= (uint8_t)(passes(act, check_get(dtype, output, i)) << c % 8);
    }
    return mask;
}

static void forward_case(shape s, int act, int residual) {
    data d = random_data(s);
    tarn_batchnorm_args want = args_for(TARN_F64, s, &d);
    want.activation = act;
    want.residual = residual ? d.residual : NULL;
    check_runs(check_reference("batchnorm_forward"), &want, CHECK_WHOLE);
    double *bound = check_alloc_reals(TARN_F64, d.count), *bounds[4];
    const double *mean = want.mean, *inv_std = want.inv_std;
    for (int64_t i = 0; i < d.count; i++) { /* mean, scale, difference, product and two sums are each rounded once */
        int64_t c = i % s.c;
        double terms = fabs(d.weight[c] * inv_std[c]) * (fabs(mean[c]) + fabs(d.x[i] - mean[c])) + fabs(d.bias[c]);
        bound[i] = check_gamma(TARN_F32, 7) * (terms + (residual ? fabs(d.residual[i]) : 0));
    }
    for (int k = 0; k < 4; k++) {
        bounds[k] = check_alloc_reals(TARN_F64, s.c);
    }
    for (int64_t c = 0; c < s.c; c++) { /* in double, rounded once; the second u is for the rounding in double */
        bounds[0][c] = check_gamma(TARN_F32, 2) * fabs(mean[c]);
        bounds[1][c] = check_gamma(TARN_F32, 2) * inv_std[c];
        bounds[2][c] = check_gamma(TARN_F32, 2) * fabs(((double *)want.running_mean)[c]);
        bounds[3][c] = check_gamma(TARN_F32, 2) * ((double *)want.running_var)[c];
    }
    CHECK_EACH(v, "batchnorm_forward") {
        tarn_batchnorm_args a = args_for(v->dtype, s, &d);
        a.activation = act;
        a.mask = act ? check_alloc(mask_bytes(&d)) : NULL;
        a.residual = residual ? check_reals(v->dtype, d.residual, d.count) : NULL;
        if (!check_runs(v, &a, CHECK_SINGLE)) {
            continue;
        }
        check_within("output", v->dtype, a.output, want.output, bound, d.count);
        check_within("mean", v->dtype, a.mean, want.mean, bounds[0], s.c);
        check_within("inv_std", v->dtype, a.inv_std, want.inv_std, bounds[1], s.c);
        check_within("running_mean", v->dtype, a.running_mean, want.running_mean, bounds[2], s.c);
        check_within("running_var", v->dtype, a.running_var, want.running_var, bounds[3], s.c);
        if (act) {
            check_bits("mask", a.mask, mask_of(&d, act, v->dtype, a.output), mask_bytes(&d));
        }
        void *single = a.output;
        a.output = check_alloc_reals(v->dtype, d.count);
        a.mask = NULL;
        check_runs(v, &a, CHECK_RANDOM);
        check_bits("output of another split, without mask", a.output, single, d.count * check_size(v->dtype));
    }
}

static void forward_equals_reference(void) { each_case(forward_case); }

static void backward_case(shape s, int act, int residual) {
    data d = random_data(s);
    tarn_batchnorm_args want = args_for(TARN_F64, s, &d);
    want.activation = act;
    want.residual = d.residual;
    check_runs(check_reference("batchnorm_forward"), &want, CHECK_WHOLE);
    for (int64_t c = 0; c < s.c; c++) { /* all levels get the same saved statistics */
        ((double *)want.mean)[c] = (float)((double *)want.mean)[c];
        ((double *)want.inv_std)[c] = (float)((double *)want.inv_std)[c];
    }
    for (int64_t i = 0; i < d.count; i++) {
        ((double *)want.output)[i] = (float)((double *)want.output)[i];
    }
    double *start = check_uniforms(2 * s.c, -1, 1);
    want.mask = act ? mask_of(&d, act, TARN_F64, want.output) : NULL;
    want.grad_residual = residual ? check_alloc_reals(TARN_F64, d.count) : NULL;
    want.grad_weight = check_reals(TARN_F64, start, s.c);
    want.grad_bias = check_reals(TARN_F64, start + s.c, s.c);
    check_runs(check_reference("batchnorm_backward"), &want, CHECK_WHOLE);

    const double *mean = want.mean, *inv_std = want.inv_std;
    double *bound = check_alloc_reals(TARN_F64, d.count), *exact = check_alloc_reals(TARN_F64, d.count);
    double *bound_weight = check_alloc_reals(TARN_F64, s.c), *bound_bias = check_alloc_reals(TARN_F64, s.c);
    double in_double = check_gamma(TARN_F64, (double)d.rows + 4), u = check_gamma(TARN_F32, 1);
    zero(TARN_F64, exact, d.count);
    for (int64_t c = 0; c < s.c; c++) {
        double size_g = 0, size_gd = 0, g_sum = 0, gd_sum = 0, m = (double)d.rows;
        for (int64_t i = c; i < d.count; i += s.c) {
            double g = passes(act, ((double *)want.output)[i]) ? d.grad_output[i] : 0, gd = g * (d.x[i] - mean[c]);
            size_g += fabs(g), size_gd += fabs(gd), g_sum += g, gd_sum += gd;
        }
        bound_weight[c] = u * fabs(((double *)want.grad_weight)[c]) + in_double * (size_gd * inv_std[c] + 1);
        bound_bias[c] = u * fabs(((double *)want.grad_bias)[c]) + in_double * (size_g + 1);
        for (int64_t i = c; i < d.count; i += s.c) { /* scale, mean, slope, difference, two products and sums */
            double deviation = fabs(d.x[i] - mean[c]), inv2 = inv_std[c] * inv_std[c] / m;
            double terms = fabs(d.grad_output[i]) + fabs(g_sum) / m + deviation * fabs(gd_sum) * inv2;
            double sums = in_double * (size_g / m + deviation * size_gd * inv2);
            bound[i] = fabs(d.weight[c]) * inv_std[c] * (check_gamma(TARN_F32, 6) * terms + sums);
        }
    }
    CHECK_EACH(v, "batchnorm_backward") {
        tarn_batchnorm_args a = args_for(v->dtype, s, &d), again;
        int64_t bytes = d.count * check_size(v->dtype);
        a.output = NULL;
        a.mask = want.mask;
        a.mean = check_reals(v->dtype, mean, s.c);
        a.inv_std = check_reals(v->dtype, inv_std, s.c);
        a.grad_residual = residual ? check_alloc_reals(v->dtype, d.count) : NULL;
        a.grad_weight = check_reals(v->dtype, start, s.c);
        a.grad_bias = check_reals(v->dtype, start + s.c, s.c);
        if (!check_runs(v, &a, CHECK_SINGLE)) {
            continue;
        }
        check_within("grad_input", v->dtype, a.grad_input, want.grad_input, bound, d.count);
        check_within("grad_weight", v->dtype, a.grad_weight, want.grad_weight, bound_weight, s.c);
        check_within("grad_bias", v->dtype, a.grad_bias, want.grad_bias, bound_bias, s.c);
        if (residual) {
            check_within("grad_residual", v->dtype, a.grad_residual, want.grad_residual, exact, d.count);
        }
        again = a; /* grad_input in place, parameters frozen, another split */
        again.grad_input = again.grad_output = check_reals(v->dtype, d.grad_output, d.count);
        again.grad_residual = residual ? check_alloc_reals(v->dtype, d.count) : NULL;
        again.grad_weight = again.grad_bias = NULL;
        check_runs(v, &again, CHECK_RANDOM);
        check_bits("grad_input in place", again.grad_input, a.grad_input, bytes);
        if (residual) {
            check_bits("grad_residual", again.grad_residual, a.grad_residual, bytes);
            again.grad_input = check_alloc_reals(v->dtype, d.count);
            again.grad_residual = again.grad_output = check_reals(v->dtype, d.grad_output, d.count);
            check_runs(v, &again, CHECK_RANDOM);
            check_bits("grad_input", again.grad_input, a.grad_input, bytes);
            check_bits("grad_residual in place", again.grad_residual, a.grad_residual, bytes);
        }
        zero(v->dtype, a.grad_weight, s.c); /* gradients of parameters accumulate */
        zero(v->dtype, a.grad_bias, s.c);
        check_runs(v, &a, CHECK_WHOLE);
        double *weight_once = check_doubles(v->dtype, a.grad_weight, s.c);
        double *bias_once = check_doubles(v->dtype, a.grad_bias, s.c);
        check_runs(v, &a, CHECK_WHOLE);
        for (int64_t c = 0; c < s.c; c++) {
            double weight_twice = check_get(v->dtype, a.grad_weight, c);
            double bias_twice = check_get(v->dtype, a.grad_bias, c);
            CHECK(check_near(v->dtype, weight_twice, 2 * weight_once[c],
                    2 * check_gamma(v->dtype, 2) * fabs(weight_once[c])),
                    "grad_weight %g, then %g", weight_once[c], weight_twice);
            CHECK(check_near(v->dtype, bias_twice, 2 * bias_once[c], 2 * check_gamma(v->dtype, 2) * fabs(bias_once[c])),
                    "grad_bias %g, then %g", bias_once[c], bias_twice);
        }
    }
}

static void backward_equals_reference(void) { each_case(backward_case); }

static void inference_case(shape s, int act, int residual) {
    data d = random_data(s);
    tarn_batchnorm_args want = args_for(TARN_F64, s, &d);
    want.activation = act;
    want.residual = residual ? d.residual : NULL;
    check_runs(check_reference("batchnorm_inference"), &want, CHECK_WHOLE);
    double *bound = check_alloc_reals(TARN_F64, d.count);
    for (int64_t i = 0; i < d.count; i++) { /* scale, shift, product and two sums */
        int64_t c = i % s.c;
        double scale = fabs(d.weight[c]) / sqrt(d.running_var[c] + EPS);
        double terms = scale * (fabs(d.x[i]) + fabs(d.running_mean[c])) + fabs(d.bias[c]);
        bound[i] = check_gamma(TARN_F32, 4) * (terms + (residual ? fabs(d.residual[i]) : 0));
    }
    CHECK_EACH(v, "batchnorm_inference") {
        tarn_batchnorm_args a = args_for(v->dtype, s, &d);
        a.activation = act;
        a.residual = residual ? check_reals(v->dtype, d.residual, d.count) : NULL;
        if (!check_runs(v, &a, CHECK_SINGLE)) {
            continue;
        }
        check_within("output", v->dtype, a.output, want.output, bound, d.count);
        int64_t image = s.hw * s.c, size = check_size(v->dtype);
        char *batch = a.output, *input = a.input, *added = a.residual;
        a.n = 1; /* N4: an image alone, and inside any batch */
        a.output = check_alloc_reals(v->dtype, image);
        for (int64_t n = 0; n < s.n; n++) {
            a.input = input + n * image * size;
            a.residual = added ? added + n * image * size : NULL;
            check_runs(v, &a, CHECK_WHOLE);
            check_bits("image alone", a.output, batch + n * image * size, image * size);
        }
    }
}

static void inference_equals_reference(void) { each_case(inference_case); }

static void output_has_mean_zero_and_the_variance_that_eps_leaves(void) { /* N1, N2 */
    shape s = {4, 81, 5};
    data d = random_data(s);
    for (int64_t c = 0; c < s.c; c++) {
        d.weight[c] = 1, d.bias[c] = 0;
    }
    CHECK_EACH(v, "batchnorm_forward") {
        tarn_batchnorm_args a = args_for(v->dtype, s, &d);
        check_runs(v, &a, CHECK_WHOLE);
        double *weight = check_alloc_reals(TARN_F64, s.c), *bias = check_alloc_reals(TARN_F64, s.c);
        for (int64_t c = 0; c < s.c; c++) {
            double mean_x = 0, var_x = 0, mean_y = 0, var_y = 0, m = (double)d.rows;
            for (int64_t i = c; i < d.count; i += s.c) {
                mean_x += d.x[i] / m, mean_y += check_get(v->dtype, a.output, i) / m;
            }
            for (int64_t i = c; i < d.count; i += s.c) {
                double x = d.x[i] - mean_x, y = check_get(v->dtype, a.output, i) - mean_y;
                var_x += x * x / m, var_y += y * y / m;
            }
            double bound = check_gamma(v->dtype, 5) * (fabs(mean_x) / sqrt(var_x) + 2); /* in units of one deviation */
            CHECK(fabs(mean_y) <= bound, "mean of channel %lld is %g", (long long)c, mean_y);
            CHECK(fabs(var_y - var_x / (var_x + EPS)) <= 4 * bound, "variance of channel %lld is %g", (long long)c,
                    var_y);
            weight[c] = sqrt(var_x + EPS), bias[c] = mean_x;
        }
        a.weight = check_reals(v->dtype, weight, s.c), a.bias = check_reals(v->dtype, bias, s.c);
        check_runs(v, &a, CHECK_WHOLE);
        for (int64_t i = 0; i < d.count; i++) {
            double y = check_get(v->dtype, a.output, i);
            CHECK(fabs(y - d.x[i]) <= 1e-5 * (fabs(d.x[i]) + 1), "identity: %g became %g", d.x[i], y);
        }
    }
}

static void input_gradient_sums_to_zero(void) { /* N3 */
    shape s = {3, 50, 21};
    data d = random_data(s);
    CHECK_EACH(v, "batchnorm_backward") {
        tarn_batchnorm_args a = args_for(v->dtype, s, &d);
        CHECK_EACH(forward, "batchnorm_forward") {
            if (forward->level == v->level && forward->dtype == v->dtype) {
                check_runs(forward, &a, CHECK_WHOLE);
            }
        }
        check_runs(v, &a, CHECK_WHOLE);
        for (int64_t c = 0; c < s.c; c++) {
            double mean = 0, var = 0, m = (double)d.rows, sum = 0, sum_xhat = 0, dy_xhat = 0, size = 0;
            for (int64_t i = c; i < d.count; i += s.c) {
                mean += d.x[i] / m;
            }
            for (int64_t i = c; i < d.count; i += s.c) {
                var += (d.x[i] - mean) * (d.x[i] - mean) / m;
            }
            double inv = 1 / sqrt(var + EPS);
            for (int64_t i = c; i < d.count; i += s.c) {
                double dx = check_get(v->dtype, a.grad_input, i), xhat = (d.x[i] - mean) * inv;
                sum += dx, sum_xhat += dx * xhat, dy_xhat += d.grad_output[i] * xhat;
                size += fabs(d.weight[c]) * inv * (fabs(d.grad_output[i]) + 1) * (1 + fabs(xhat))
                        * (1 + fabs(mean) * inv);
            }
            double bound = check_gamma(v->dtype, 8) * size, want = d.weight[c] * inv * dy_xhat * EPS / (var + EPS);
            CHECK(fabs(sum) <= bound, "sum of channel %lld is %g, bound %g", (long long)c, sum, bound);
            CHECK(fabs(sum_xhat - want) <= 4 * bound, "sum of dx*xhat is %g, want %g", sum_xhat, want);
        }
    }
}

/* sum of output * grad_output, in double */
static double objective(tarn_batchnorm_args *a, const double *g, int64_t count) {
    double sum = 0;
    check_runs(check_reference("batchnorm_forward"), a, CHECK_WHOLE);
    for (int64_t i = 0; i < count; i++) {
        sum += ((double *)a->output)[i] * g[i];
    }
    return sum;
}

static void gradients_equal_finite_differences(void) { /* K1 */
    shape s = {2, 3, 4};
    data d = random_data(s);
    tarn_batchnorm_args a = args_for(TARN_F64, s, &d);
    a.residual = d.residual;
    a.grad_weight = check_alloc_reals(TARN_F64, s.c), a.grad_bias = check_alloc_reals(TARN_F64, s.c);
    a.grad_residual = check_alloc_reals(TARN_F64, d.count);
    zero(TARN_F64, a.grad_weight, s.c), zero(TARN_F64, a.grad_bias, s.c);
    objective(&a, d.grad_output, d.count);
    check_runs(check_reference("batchnorm_backward"), &a, CHECK_WHOLE);
    struct {
        const char *name;
        double *value, *grad;
        int64_t count;
    } parts[] = {{"input", a.input, a.grad_input, d.count},
        {"weight", a.weight, a.grad_weight, s.c}, {"bias", a.bias, a.grad_bias, s.c},
        {"residual", a.residual, a.grad_residual, d.count}};
    for (int p = 0; p < 4; p++) {
        for (int64_t i = 0; i < parts[p].count; i++) {
            double h = 1e-5, at = parts[p].value[i];
            parts[p].value[i] = at + h;
            double above = objective(&a, d.grad_output, d.count);
            parts[p].value[i] = at - h;
            double below = objective(&a, d.grad_output, d.count), numeric = (above - below) / (2 * h);
            parts[p].value[i] = at;
            /* truncation h^2, and rounding of numbers near 200 divided by h */
            CHECK(fabs(numeric - parts[p].grad[i]) <= 1e-7 * fmax(1, fabs(numeric)),
                    "%s[%lld]: backward %g, difference %g",
                    parts[p].name, (long long)i, parts[p].grad[i], numeric);
        }
    }
}

static void a_constant_channel_becomes_its_bias_and_nan_stays_in_its_channel(void) {
    shape s = {2, 50, 35};
    data d = random_data(s);
    for (int64_t i = 0; i < d.rows; i++) {
        d.x[i * s.c + 3] = (float)0.1;
    }
    d.x[7 * s.c + 5] = NAN;
    CHECK_EACH(v, "batchnorm_forward") {
        if (v->dtype == TARN_F64) {
            continue; /* sums of equal doubles round */
        }
        tarn_batchnorm_args a = args_for(v->dtype, s, &d);
        check_runs(v, &a, CHECK_WHOLE);
        for (int64_t i = 0; i < d.count; i++) {
            double y = check_get(v->dtype, a.output, i);
            CHECK(i % s.c != 3 || y == d.bias[3], "constant channel: %g, bias %g", y, d.bias[3]);
            CHECK((i % s.c == 5) == !!isnan(y), "channel %lld is %g", (long long)(i % s.c), y);
        }
    }
}

static void running_case(int64_t smoothed, int64_t correction) {
    enum { STEPS = 25 };
    shape s = {2, 30, 18};
    data d = random_data(s);
    check_case("smoothed=%lld correction=%lld", (long long)smoothed, (long long)correction);
    CHECK_EACH(v, "batchnorm_forward") {
        tarn_batchnorm_args a = args_for(v->dtype, s, &d);
        a.smoothed = smoothed, a.correction = correction;
        for (int k = 0; k < STEPS; k++) {
            check_runs(v, &a, CHECK_WHOLE);
        }
        for (int64_t c = 0; c < s.c; c++) {
            double mean = 0, var = 0, m = (double)d.rows, old = pow(KEEP, STEPS);
            for (int64_t i = c; i < d.count; i += s.c) {
                mean += d.x[i] / m;
            }
            for (int64_t i = c; i < d.count; i += s.c) {
                var += (d.x[i] - mean) * (d.x[i] - mean) / (m - (double)correction);
            }
            double batch = smoothed == TARN_DEVIATION ? sqrt(var + EPS) : var;
            double want_mean = old * d.running_mean[c] + (1 - old) * mean;
            double want = old * d.running_var[c] + (1 - old) * batch, got = check_get(v->dtype, a.running_var, c);
            CHECK(fabs(check_get(v->dtype, a.running_mean, c) - want_mean) <= 1e-6 * (1 + fabs(mean)), "mean");
            CHECK(fabs(got - want) <= 1e-6 * (1 + batch), "running %g, want %g", got, want);
        }
    }
}

static void running_statistics_follow_the_closed_form(void) { /* N5a, N5b */
    for (int k = 0; k < 4; k++) {
        running_case(k & 1 ? TARN_DEVIATION : TARN_VARIANCE, k >> 1);
    }
}

static void evaluation_divides_by_a_deviation_as_it_is(void) { /* N5b */
    shape s = {3, 20, 18};
    data d = random_data(s);
    double *var = d.running_var, *deviation = check_alloc_reals(TARN_F64, s.c);
    for (int64_t c = 0; c < s.c; c++) { /* both exact as floats: x * x of few digits */
        deviation[c] = floor(check_uniform(8, 32)) / 16, var[c] = deviation[c] * deviation[c];
    }
    CHECK_EACH(v, "batchnorm_inference") {
        tarn_batchnorm_args a = args_for(v->dtype, s, &d);
        a.eps = 0;
        check_runs(v, &a, CHECK_WHOLE);
        void *want = a.output;
        a.output = check_alloc_reals(v->dtype, d.count);
        a.running_var = check_reals(v->dtype, deviation, s.c);
        a.smoothed = TARN_DEVIATION, a.eps = 0.5;
        check_runs(v, &a, CHECK_WHOLE);
        check_bits("output", a.output, want, d.count * check_size(v->dtype));
    }
}

/* (rows, in) times (in, c), plus bias */
static double linear(const double *x, const double *w, const double *bias, int64_t in, int64_t c, int64_t k) {
    double sum = bias ? bias[k] : 0;
    for (int64_t i = 0; i < in; i++) {
        sum += x[i] * w[i * c + k];
    }
    return sum;
}

static void fold_case(int64_t smoothed) {
    enum { IN = 23, C = 37 };
    double *x = check_uniforms(IN, -1, 1), *w = check_uniforms(IN * C, -1, 1), *bias = check_uniforms(C, -1, 1);
    double *bn_weight = check_uniforms(C, -2, 2), *bn_bias = check_uniforms(C, -1, 1), *mean = check_uniforms(C, -1, 1);
    double *var = check_uniforms(C, 0.1, 2);
    CHECK_EACH(v, "batchnorm_fold") {
        for (int with_bias = 0; with_bias < 2; with_bias++) {
            int64_t t = v->dtype;
            tarn_fold_args a = {.n = 1, .rows = IN, .c = C, .smoothed = smoothed, .eps = EPS,
                .weight = check_reals(t, w, IN * C),
                .bias = with_bias ? check_reals(t, bias, C) : NULL, .bn_weight = check_reals(t, bn_weight, C),
                .bn_bias = check_reals(t, bn_bias, C), .mean = check_reals(t, mean, C), .var = check_reals(t, var, C),
                .out_weight = check_alloc_reals(t, IN * C), .out_bias = check_alloc_reals(t, C)};
            check_runs(v, &a, CHECK_WHOLE);
            double *folded = check_doubles(t, a.out_weight, IN * C), *folded_bias = check_doubles(t, a.out_bias, C);
            for (int64_t k = 0; k < C; k++) {
                double scale = bn_weight[k] / (smoothed == TARN_DEVIATION ? var[k] : sqrt(var[k] + EPS));
                double size = fabs(mean[k] * scale) + fabs(bn_bias[k]) + fabs(scale);
                double want = (linear(x, w, with_bias ? bias : NULL, IN, C, k) - mean[k]) * scale + bn_bias[k];
                for (int64_t i = 0; i < IN; i++) {
                    size += fabs(x[i] * w[i * C + k] * scale);
                }
                double got = linear(x, folded, folded_bias, IN, C, k);
                CHECK(check_near(t, got, want, check_gamma(t, t == TARN_F64 ? IN + 10 : 2) * size),
                        "channel %lld: %g, want %g",
                        (long long)k, got, want);
            }
            void *weight = a.out_weight;
            a.out_weight = a.weight; /* in place */
            check_runs(v, &a, CHECK_SINGLE);
            check_bits("weight in place", a.out_weight, weight, IN * C * check_size(t));
        }
    }
}

static void folded_weights_give_the_same_output(void) { /* N6 */
    fold_case(TARN_VARIANCE);
    fold_case(TARN_DEVIATION);
}

static void nonsense_is_refused(void) {
    static const char *const ops[] = {"batchnorm_forward", "batchnorm_backward", "batchnorm_inference"};
    float x[1], y[1];
    for (int k = 0; k < 3; k++) {
        CHECK_EACH(v, ops[k]) {
            tarn_batchnorm_args good = {.n = 2, .hw = 3, .c = 4, .eps = EPS, .keep = KEEP, .activation = 1, .input = x,
                    .output = x,
                .weight = x, .bias = x, .running_mean = x, .running_var = x, .mean = x, .inv_std = x, .grad_output = x,
                .grad_input = x, .grad_residual = y}, a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = -1);
            REFUSED(a.hw = 0);
            REFUSED(a.c = 0);
            REFUSED(a.c = INT64_MAX);
            REFUSED(a.n = INT64_MAX / 8);
            REFUSED(a.eps = -1);
            REFUSED(a.eps = NAN);
            REFUSED(a.smoothed = 2);
            REFUSED(a.activation = TARN_SCALE + 1);
            REFUSED(a.input = NULL);
            REFUSED(a.weight = NULL);
            if (k != 1) {
                REFUSED(a.output = NULL);
            }
            if (k < 2) {
                REFUSED((a.n = 1, a.hw = 1)); /* one row has no variance */
                REFUSED(a.mean = NULL);
            }
            if (k == 0) {
                REFUSED(a.keep = 1.5);
                REFUSED(a.keep = NAN);
                REFUSED(a.correction = -1);
                REFUSED(a.correction = 2);
                REFUSED((a.activation = 0, a.mask = x)); /* nothing to mask */
            }
            if (k == 1) {
                REFUSED(a.grad_input = y); /* the same memory as grad_residual */
            }
            a = good;
            a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"forward_equals_reference", forward_equals_reference},
        {"backward_equals_reference", backward_equals_reference},
        {"inference_equals_reference", inference_equals_reference},
        {"output_has_mean_zero_and_the_variance_that_eps_leaves",
                output_has_mean_zero_and_the_variance_that_eps_leaves},
        {"input_gradient_sums_to_zero", input_gradient_sums_to_zero},
        {"gradients_equal_finite_differences", gradients_equal_finite_differences},
        {"a_constant_channel_becomes_its_bias_and_nan_stays_in_its_channel",
                a_constant_channel_becomes_its_bias_and_nan_stays_in_its_channel},
        {"running_statistics_follow_the_closed_form", running_statistics_follow_the_closed_form},
        {"evaluation_divides_by_a_deviation_as_it_is", evaluation_divides_by_a_deviation_as_it_is},
        {"folded_weights_give_the_same_output", folded_weights_give_the_same_output},
        {"nonsense_is_refused", nonsense_is_refused})
