/* SGD: every level gives the same bits, and METHODS O1, O2, O6. */
#include "check.h"

static const int64_t sizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 97, 32767, 32768, 32769, 70001};
#define SIZES ((int)(sizeof sizes / sizeof sizes[0]))

typedef struct {
    double momentum, weight_decay;
    int64_t nesterov;
} mode;
static const mode modes[] = {{0, 0, 0}, {0, 5e-4, 0}, {0.9, 0, 0}, {0.9, 5e-4, 0}, {0.9, 1e-2, 1}};

static void every_level_computes_the_documented_steps(void) {
    for (int k = 0; k < SIZES * 5; k++) {
        int64_t size = sizes[k / 5];
        mode m = modes[k % 5];
        check_case("count=%lld momentum=%g weight_decay=%g nesterov=%d", (long long)size, m.momentum, m.weight_decay,
                (int)m.nesterov);
        double *p = check_uniforms(size, -1, 1), *g = check_uniforms(size, -1, 1), rate = 0.05;
        double *v0 = check_uniforms(size, -1, 1);
        CHECK_EACH(v, "sgd_update") {
            int64_t t = v->dtype, bytes = size * check_size(t);
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                tarn_sgd_args a = {.n = 1, .count = size, .nesterov = m.nesterov, .momentum = m.momentum,
                    .weight_decay = m.weight_decay, .rate = &rate, .param = check_reals(t, p, size),
                    .grad = check_reals(t, g, size),
                    .velocity = m.momentum != 0 ? check_reals(t, v0, size) : NULL};
                check_runs(v, &a, split);
                for (int64_t i = 0; i < size; i++) {
                    double param, velocity;
                    if (t == TARN_F64) {
                        double d = g[i] + m.weight_decay * p[i];
                        velocity = m.momentum * v0[i] + d;
                        param = p[i] - rate * (m.momentum == 0 ? d : m.nesterov ? d + m.momentum * velocity : velocity);
                    } else {
                        float r = (float)rate, mu = (float)m.momentum, wd = (float)m.weight_decay, pf = (float)p[i];
                        float d = (float)g[i] + wd * pf, vf = mu * (float)v0[i] + d;
                        velocity = vf;
                        param = pf - r * (m.momentum == 0 ? d : m.nesterov ? d + mu * vf : vf);
                    }
                    CHECK(check_get(t, a.param, i) == param, "param[%lld] is %.9g, want %.9g", (long long)i,
                            check_get(t, a.param, i), param);
                    CHECK(!a.velocity || check_get(t, a.velocity, i) == velocity, "velocity[%lld]", (long long)i);
                }
                void *zero = check_alloc(bytes);
                memset(zero, 0, (size_t)bytes);
                check_bits("grad", a.grad, zero, bytes);
            }
        }
        check_release();
    }
}

static void a_constant_gradient_reaches_terminal_velocity(void) { /* O2 */
    enum { COUNT = 37, STEPS = 50 };
    double rate = 0.01, momentum = 0.9, *g = check_uniforms(COUNT, -1, 1);
    CHECK_EACH(v, "sgd_update") {
        int64_t bytes = COUNT * check_size(v->dtype);
        tarn_sgd_args a = {.n = 1, .count = COUNT, .momentum = momentum, .rate = &rate,
                .param = check_reals(v->dtype, g, COUNT),
            .grad = check_alloc(bytes), .velocity = check_alloc(bytes)};
        memset(a.velocity, 0, (size_t)bytes);
        void *constant = check_reals(v->dtype, g, COUNT);
        for (int t = 0; t < STEPS; t++) {
            memcpy(a.grad, constant, (size_t)bytes);
            check_runs(v, &a, CHECK_WHOLE);
        }
        for (int i = 0; i < COUNT; i++) {
            double want = g[i] * (1 - pow(momentum, STEPS)) / (1 - momentum), got = check_get(v->dtype, a.velocity, i);
            CHECK(fabs(got - want) <= check_gamma(v->dtype, 3 * STEPS) * 10 * fabs(g[i]), "velocity %g, want %g", got,
                    want);
        }
    }
}

/* O6: x + rho*v of the textbook form is our parameter; the gradient of x*x/2 is x */
static void nesterov_looks_ahead(void) {
    double rate = 0.05, rho = 0.9, x = 1, v = 0, param = 1, velocity = 0, grad;
    tarn_sgd_args a = {.n = 1, .count = 1, .nesterov = 1, .momentum = rho, .rate = &rate, .param = &param,
            .grad = &grad,
        .velocity = &velocity};
    for (int t = 0; t < 1000; t++) {
        grad = param;
        check_runs(check_reference("sgd_update"), &a, CHECK_WHOLE);
        double u = rho * v - rate * (x + rho * v); /* velocity of the textbook is -rate times ours */
        x += u, v = u;
        CHECK(fabs(param - (x + rho * v)) < 1e-12, "step %d: %g, want %g", t, param, x + rho * v);
    }
}

static void nonsense_is_refused(void) {
    float x[1];
    CHECK_EACH(v, "sgd_update") {
        tarn_sgd_args good = {.n = 1, .count = 2, .momentum = 0.9, .rate = x, .param = x, .grad = x, .velocity = x}, a;
        CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
        REFUSED(a.n = 2);
        REFUSED(a.count = 0);
        REFUSED(a.count = INT64_MAX);
        REFUSED(a.momentum = NAN);
        REFUSED(a.weight_decay = INFINITY);
        REFUSED(a.velocity = NULL);
        REFUSED((a.momentum = 0, a.nesterov = 1));
        REFUSED(a.rate = NULL);
        REFUSED(a.grad = NULL);
        a = good, a.n = 0;
        CHECK(check_runs(v, &a, CHECK_WHOLE), "nothing to do");
    }
}

CHECK_MAIN({"every_level_computes_the_documented_steps", every_level_computes_the_documented_steps},
        {"a_constant_gradient_reaches_terminal_velocity", a_constant_gradient_reaches_terminal_velocity},
        {"nesterov_looks_ahead", nesterov_looks_ahead}, {"nonsense_is_refused", nonsense_is_refused})
