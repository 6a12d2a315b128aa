/*
 * The optimizers: every level and type against the formulas of tarn_args.h, evaluated in double together with a bound
 * of what rounding may do. All levels give the same bits.
 */
#include "check.h"

static const int64_t sizes[] = {1, 7, 8, 9, 15, 16, 17, 31, 97, 32769, 65537};
#define SIZES ((int)(sizeof sizes / sizeof sizes[0]))

/* A number as computed: its value, and how far rounding may have taken it from there. */
typedef struct {
    double x, e;
} number;
static double unit; /* of the type that is tested, twice for the rounding of x itself */

static number rounded(double x, double e) { return (number){x, e + unit * (fabs(x) + e)}; }
static number constant(double x) { return rounded(x, 0); }
static number add(number a, number b) { return rounded(a.x + b.x, a.e + b.e); }
static number sub(number a, number b) { return rounded(a.x - b.x, a.e + b.e); }
static number mul(number a, number b) { return rounded(a.x * b.x, fabs(a.x) * b.e + fabs(b.x) * a.e + a.e * b.e); }
static number root(number a) { return rounded(sqrt(a.x), sqrt(a.x + a.e) - sqrt(fmax(a.x - a.e, 0))); }
static number quotient(number a, number b) {
    if (b.x == 0) {
        return (number){0, 0};
    }
    double q = a.x / b.x;
    return rounded(q, (a.e + fabs(q) * b.e) / (fabs(b.x) - b.e));
}

typedef struct {
    number p, v, r;
} numbers;

/* One parameter's step by the formulas. */
static numbers step(const char *op, const tarn_update_args *a, numbers old, double grad) {
    number rate = constant(*(const double *)a->rate * a->rate_factor), mu = constant(a->momentum);
    number keep = constant(a->keep), fresh = constant(1 - a->momentum), fresh2 = constant(1 - a->keep);
    number ahead = constant(1 + a->momentum), eps = constant(a->epsilon), w = old.p;
    number sign = constant(w.x > 0 ? a->l1 : w.x < 0 ? -a->l1 : 0);
    number d = add(add((number){grad, 0}, mul(constant(a->l2), w)), sign);
    number p = sub(w, mul(mul(rate, constant(a->decay)), w)), v = old.v, r = old.r, zero = {0, 0};
    if (strcmp(op, "sgd_update") == 0) {
        return (numbers){sub(p, mul(rate, d)), zero, zero};
    }
    if (strcmp(op, "momentum_update") == 0) {
        if (a->rate_inside) {
            v = sub(mul(mu, v), mul(rate, d));
            return (numbers){a->nesterov ? add(sub(p, mul(mu, old.v)), mul(ahead, v)) : add(p, v), v, zero};
        }
        v = add(mul(mu, v), d);
        return (numbers){sub(p, mul(rate, a->nesterov ? add(d, mul(mu, v)) : v)), v, zero};
    }
    if (strcmp(op, "adagrad_update") == 0) {
        r = add(r, mul(d, d));
        return (numbers){sub(p, mul(rate, quotient(d, add(root(r), eps)))), zero, r};
    }
    r = add(mul(keep, r), mul(fresh2, mul(d, d)));
    if (strcmp(op, "rmsprop_update") == 0) {
        return (numbers){sub(p, mul(rate, quotient(d, add(root(r), eps)))), zero, r};
    }
    if (strcmp(op, "rmsprop_nesterov_update") == 0) {
        v = sub(mul(mu, v), mul(rate, quotient(d, add(root(r), eps))));
        return (numbers){add(sub(p, mul(mu, old.v)), mul(ahead, v)), v, r};
    }
    v = add(mul(mu, v), mul(fresh, d));
    double t = a->step ? (double)(*(const int64_t *)a->step + 1) : INFINITY;
    number v1 = mul(v, constant(1 / (1 - pow(a->momentum, t)))), r1 = mul(r, constant(1 / (1 - pow(a->keep, t))));
    return (numbers){sub(p, mul(rate, quotient(v1, add(root(r1), eps)))), v, r};
}

typedef struct {
    const char *op;
    int velocity, squares;
    tarn_update_args args;
} optimizer;
#define OPTIMIZER(name, velocity, squares, factor, ...) \
    {name, velocity, squares, {.n = 1, .rate_factor = factor, __VA_ARGS__}}
static const optimizer optimizers[] = {
    OPTIMIZER("sgd_update", 0, 0, 1, .l2 = 0),
    OPTIMIZER("sgd_update", 0, 0, 10, .l2 = 5e-4, .l1 = 1e-3, .decay = 0.01),
    OPTIMIZER("momentum_update", 1, 0, 1, .momentum = 0.9),
    OPTIMIZER("momentum_update", 1, 0, 1, .momentum = 0.9, .nesterov = 1, .l2 = 1e-2),
    OPTIMIZER("momentum_update", 1, 0, 1, .momentum = 0.99, .rate_inside = 1, .l1 = 1e-2),
    OPTIMIZER("momentum_update", 1, 0, 1, .momentum = 0.9, .rate_inside = 1, .nesterov = 1),
    OPTIMIZER("adagrad_update", 0, 1, 1, .epsilon = 1e-7),
    OPTIMIZER("rmsprop_update", 0, 1, 1, .keep = 0.99, .epsilon = 1e-7, .decay = 0.1),
    OPTIMIZER("rmsprop_nesterov_update", 1, 1, 1, .keep = 0.9, .momentum = 0.9),
    OPTIMIZER("adam_update", 1, 1, 1, .momentum = 0.9, .keep = 0.999, .epsilon = 1e-8),
    OPTIMIZER("adam_update", 1, 1, 1, .momentum = 0.9, .keep = 0.99, .epsilon = 1e-7, .l2 = 0.1, .decay = 0.01),
};
#define OPTIMIZERS ((int)(sizeof optimizers / sizeof optimizers[0]))

static int64_t three = 3;

static tarn_update_args arguments(const optimizer *o, int64_t dtype, int64_t count, double **in, double *rate) {
    tarn_update_args a = o->args;
    a.count = count, a.rate = rate, a.step = strcmp(o->op, "adam_update") == 0 ? &three : NULL;
    a.param = check_reals(dtype, in[0], count), a.grad = check_reals(dtype, in[1], count);
    a.velocity = o->velocity ? check_reals(dtype, in[2], count) : NULL;
    a.squares = o->squares ? check_reals(dtype, in[3], count) : NULL;
    return a;
}

static void every_level_computes_the_documented_steps(void) {
    for (int k = 0; k < SIZES * OPTIMIZERS; k++) {
        const optimizer *o = &optimizers[k % OPTIMIZERS];
        int64_t size = sizes[k / OPTIMIZERS];
        check_case("count=%lld optimizer %d", (long long)size, k % OPTIMIZERS);
        double rate = 0.05, *in[] = {check_uniforms(size, -1, 1), check_uniforms(size, -1, 1),
                                check_uniforms(size, -1, 1), check_uniforms(size, 0, 1)};
        in[0][size / 2] = in[1][size / 2] = in[3][size / 2] = 0; /* where a quotient may be 0 by 0 */
        void *bits = NULL;
        CHECK_EACH(v, o->op) {
            int64_t t = v->dtype, bytes = size * check_size(t);
            unit = 2 * check_unit(t);
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                tarn_update_args a = arguments(o, t, size, in, &rate);
                check_runs(v, &a, split);
                for (int64_t i = 0; i < size; i++) {
                    numbers old = {{in[0][i], 0}, {in[2][i], 0}, {in[3][i], 0}}, want = step(o->op, &a, old, in[1][i]);
                    double p = check_get(t, a.param, i);
                    CHECK(check_near(t, p, want.p.x, want.p.e), "param[%lld] is %.9g, want %.9g", (long long)i, p,
                            want.p.x);
                    CHECK(!o->velocity || check_near(t, check_get(t, a.velocity, i), want.v.x, want.v.e),
                            "velocity[%lld]", (long long)i);
                    CHECK(!o->squares || check_near(t, check_get(t, a.squares, i), want.r.x, want.r.e),
                            "squares[%lld]", (long long)i);
                }
                void *zero = check_alloc(bytes);
                memset(zero, 0, (size_t)bytes);
                check_bits("grad", a.grad, zero, bytes);
                if (t == TARN_F32 && bits) {
                    check_bits("param at another level", a.param, bits, bytes);
                }
                bits = t == TARN_F32 ? a.param : bits;
            }
        }
        check_release();
    }
}

static void a_nan_gradient_makes_the_parameter_nan(void) {
    for (int k = 0; k < OPTIMIZERS; k++) {
        double rate = 0.05, one[] = {1}, nan[] = {NAN}, *in[] = {one, nan, one, one};
        CHECK_EACH(v, optimizers[k].op) {
            tarn_update_args a = arguments(&optimizers[k], v->dtype, 1, in, &rate);
            check_runs(v, &a, CHECK_WHOLE);
            CHECK(isnan(check_get(v->dtype, a.param, 0)), "%g", check_get(v->dtype, a.param, 0));
        }
    }
}

static void nonsense_is_refused(void) {
    for (int k = 0; k < OPTIMIZERS; k++) {
        const optimizer *o = &optimizers[k];
        double rate = 0.05, one[] = {1, 1}, *in[] = {one, one, one, one};
        CHECK_EACH(v, o->op) {
            tarn_update_args good = arguments(o, v->dtype, 2, in, &rate), a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = 2);
            REFUSED(a.count = 0);
            REFUSED(a.count = INT64_MAX);
            REFUSED(a.momentum = NAN);
            REFUSED(a.momentum = 1);
            REFUSED(a.keep = 1);
            REFUSED(a.epsilon = -1e-9);
            REFUSED(a.l2 = INFINITY);
            REFUSED(a.l1 = NAN);
            REFUSED(a.decay = NAN);
            REFUSED(a.rate_factor = NAN);
            REFUSED(a.rate = NULL);
            REFUSED(a.grad = NULL);
            REFUSED(a.velocity = o->velocity ? NULL : one);
            REFUSED(a.squares = o->squares ? NULL : one);
            a = good, a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "nothing to do");
        }
    }
}

CHECK_MAIN({"every_level_computes_the_documented_steps", every_level_computes_the_documented_steps},
        {"a_nan_gradient_makes_the_parameter_nan", a_nan_gradient_makes_the_parameter_nan},
        {"nonsense_is_refused", nonsense_is_refused})
