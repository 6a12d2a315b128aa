/* Vector functions against libm in double, over dense arguments. */
#include "check.h"
#include "vec_math_probe.h"

static const vec_math_probe *const probes[] = {
#if defined(__x86_64__)
    &tarn_vec_math_probe_f32__avx2, &tarn_vec_math_probe_f32__avx512,
#elif defined(__aarch64__)
    &tarn_vec_math_probe_f32__neon,
#endif
    NULL};

/* The distance of the two floats next to y: one unit in the last place. */
static double unit(double y) {
    const float near = fabsf((float)y);
    return (double)nextafterf(near, INFINITY) - near;
}

static double sigmoid_of(double x) { return 1 / (1 + exp(-x)); }

static void within_units(
        double units, const char *name, vec_function *f, double (*exact)(double), double low, double high) {
    enum { COUNT = 1000 };
    float x[COUNT], y[COUNT];
    double worst = 0, at = 0;
    for (double from = low; from < high; from += COUNT * 1e-4) {
        for (int i = 0; i < COUNT; i++) {
            x[i] = (float)fmin(from + i * 1e-4, high);
        }
        f(x, y, COUNT);
        for (int i = 0; i < COUNT; i++) {
            const double want = exact(x[i]), error = fabs(y[i] - want) / unit(want);
            if (fabs(want) >= FLT_MIN && !(error <= worst)) {
                worst = error;
                at = x[i];
            }
        }
    }
    CHECK(worst <= units, "%s(%.9g) is wrong by %.3f units", name, at, worst);
}

static void a4_exponentials_err_by_two_units_at_most(void) {
    for (int i = 0; probes[i]; i++) {
        if (probes[i]->level <= tarn_cpu_level()) {
            within_units(2, "exp", probes[i]->exp, exp, -87, 88);
            within_units(2, "expm1", probes[i]->expm1, expm1, -87, 88);
            within_units(4, "sigmoid", probes[i]->sigmoid, sigmoid_of, -87, 88);
            within_units(2, "tanh", probes[i]->tanh, tanh, -12, 12);
        }
    }
}

static void near_zero_nothing_cancels(void) {
    for (int i = 0; probes[i]; i++) {
        for (float x = 1; probes[i]->level <= tarn_cpu_level() && x > 1e-30f; x *= 0.37f) {
            const float both[] = {x, -x};
            float y[2];
            probes[i]->expm1(both, y, 2);
            for (int s = 0; s < 2; s++) {
                CHECK(fabs(y[s] - expm1(both[s])) <= 2 * unit(expm1(both[s])), "expm1(%g) = %.9g", both[s], y[s]);
            }
            probes[i]->tanh(both, y, 2);
            CHECK(fabs(y[0] - tanh(x)) <= 2 * unit(tanh(x)) && y[1] == -y[0], "tanh(%g) = %.9g, %.9g", x, y[0], y[1]);
        }
    }
}

static void ends_of_the_line(void) {
    const float x[] = {-INFINITY, -1e4f, -0.0f, 0, 1e4f, INFINITY, NAN};
    enum { COUNT = sizeof x / sizeof x[0] };
    const struct {
        const char *name;
        float want[COUNT];
    } cases[] = {{"exp", {0, 0, 1, 1, INFINITY, INFINITY, NAN}}, {"sigmoid", {0, 0, 0.5f, 0.5f, 1, 1, NAN}},
        {"tanh", {-1, -1, -0.0f, 0, 1, 1, NAN}}};
    for (int i = 0; probes[i]; i++) {
        vec_function *const functions[] = {probes[i]->exp, probes[i]->sigmoid, probes[i]->tanh};
        for (int k = 0; probes[i]->level <= tarn_cpu_level() && k < 3; k++) {
            float y[COUNT];
            functions[k](x, y, COUNT);
            for (int j = 0; j < COUNT; j++) {
                const float want = cases[k].want[j];
                CHECK(isnan(want) ? isnan(y[j]) : y[j] == want && signbit(y[j]) == signbit(want),
                        "%s(%g) = %g", cases[k].name, x[j], y[j]);
            }
        }
    }
}

CHECK_MAIN({"a4_exponentials_err_by_two_units_at_most", a4_exponentials_err_by_two_units_at_most},
        {"near_zero_nothing_cancels", near_zero_nothing_cancels}, {"ends_of_the_line", ends_of_the_line})
