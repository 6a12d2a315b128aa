/* Activations with a learned alpha and maxout: every level against the reference, in any split, accumulating. */
#include "check.h"

static const int64_t shapes[][3] = {{1, 1, 1}, {2, 3, 7}, {3, 1, 8}, {1, 13, 9}, {5, 4, 15}, {2, 8, 16}, {1, 31, 17},
    {64, 1, 10}, {3, 49, 31}, {2, 25, 32}, {7, 11, 33}, {4, 100, 79}, {3, 1700, 64}, {2, 64, 1000}};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

typedef struct {
    int64_t n, hw, c, count, alphas, kind;
    double *x, *alpha, *g, *start;
} parametric_case;

/* One alpha for all channels, then one for each; PReLU, then Swish. Slopes may be negative. */
static parametric_case parametric_of(int k) {
    parametric_case p = {.n = shapes[k / 4][0], .hw = shapes[k / 4][1], .c = shapes[k / 4][2]};
    p.count = p.n * p.hw * p.c;
    p.alphas = k % 2 ? p.c : 1;
    p.kind = k / 2 % 2 ? TARN_SWISH : TARN_LEAKY_RELU;
    p.x = check_uniforms(p.count, -4, 4), p.alpha = check_uniforms(p.alphas, -1, 2);
    p.g = check_uniforms(p.count, -1, 1), p.start = check_uniforms(p.alphas, -1, 1);
    check_case("n=%lld hw=%lld c=%lld alphas=%lld act=%lld", (long long)p.n, (long long)p.hw, (long long)p.c,
            (long long)p.alphas, (long long)p.kind);
    return p;
}

static tarn_parametric_args arguments(const parametric_case *p, int64_t dtype) {
    return (tarn_parametric_args){.n = p->n, .hw = p->hw, .c = p->c, .activation = p->kind, .alphas = p->alphas,
        .input = check_reals(dtype, p->x, p->count), .alpha = check_reals(dtype, p->alpha, p->alphas),
        .output = check_alloc_reals(dtype, p->count), .grad_output = check_reals(dtype, p->g, p->count),
        .grad_input = check_alloc_reals(dtype, p->count), .grad_alpha = check_reals(dtype, p->start, p->alphas)};
}

/*
 * Roundings of a Swish: sigmoid errs by 4 units of two roundings each, its argument by one, which weighs as much as the
 * argument; products and sums by the rest. |alpha x| is 8 at most.
 */
#define SWISH_ROUNDINGS (8 + 8 + 4)

static void parametric_forward_equals_reference(void) {
    for (int k = 0; k < 4 * SHAPES; k++) {
        const parametric_case p = parametric_of(k);
        tarn_parametric_args want = arguments(&p, TARN_F64);
        check_runs(check_reference("parametric_forward"), &want, CHECK_WHOLE);
        double *bound = check_alloc_reals(TARN_F64, p.count);
        for (int64_t i = 0; i < p.count; i++) {
            bound[i] = check_gamma(TARN_F32, p.kind == TARN_SWISH ? SWISH_ROUNDINGS : 1)
                    * fabs(((double *)want.output)[i]);
        }
        CHECK_EACH(v, "parametric_forward") {
            tarn_parametric_args a = arguments(&p, v->dtype);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("output", v->dtype, a.output, want.output, bound, p.count);
            void *single = a.output;
            a.output = a.input;
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("in place", a.output, single, p.count * check_size(v->dtype));
        }
        check_release();
    }
}

/* METHODS A9, A12 */
static void parametric_backward_equals_the_plain_sum(void) {
    for (int k = 0; k < 4 * SHAPES; k++) {
        const parametric_case p = parametric_of(k);
        tarn_parametric_args want = arguments(&p, TARN_F64);
        check_runs(check_reference("parametric_backward"), &want, CHECK_WHOLE);
        double *bound = check_alloc_reals(TARN_F64, p.count), *sums = check_doubles(TARN_F64, p.start, p.alphas);
        double *sum_bound = check_alloc_reals(TARN_F64, p.alphas);
        memset(sum_bound, 0, (size_t)p.alphas * sizeof(double));
        const double one = check_gamma(TARN_F32, p.kind == TARN_SWISH ? SWISH_ROUNDINGS : 1);
        for (int64_t i = 0; i < p.count; i++) {
            const int64_t j = p.alphas == 1 ? 0 : i % p.c;
            const double x = p.x[i], s = 1 / (1 + exp(-p.alpha[j] * x));
            sums[j] += p.g[i] * (p.kind == TARN_SWISH ? x * x * s * (1 - s) : x > 0 ? 0 : x);
            bound[i] = one * (1 + fabs(p.alpha[j]) * fmax(1, fabs(x))) * fabs(p.g[i]);
            /* those of Swish round before the sum, which is in double */
            sum_bound[j] += ((p.kind == TARN_SWISH ? one : 0) + check_gamma(TARN_F64, (double)p.count)) * x * x;
        }
        for (int64_t j = 0; j < p.alphas; j++) {
            sum_bound[j] += check_unit(TARN_F32) * fabs(sums[j]);
        }
        CHECK_EACH(v, "parametric_backward") {
            tarn_parametric_args a = arguments(&p, v->dtype);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("grad_input", v->dtype, a.grad_input, want.grad_input, bound, p.count);
            check_within("grad_alpha", v->dtype, a.grad_alpha, sums, sum_bound, p.alphas);
            void *input = a.grad_input, *alpha = a.grad_alpha;
            a.grad_input = a.grad_output;
            a.grad_alpha = check_reals(v->dtype, p.start, p.alphas);
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("in place", a.grad_input, input, p.count * check_size(v->dtype));
            check_bits("grad_alpha of another split", a.grad_alpha, alpha, p.alphas * check_size(v->dtype));
        }
        check_release();
    }
}

/* METHODS A13: against the plain maximum, with equals and NaN among the pieces. */
static void maxout_takes_the_first_largest_piece_and_sends_the_gradient_there(void) {
    for (int k = 0; k < 3 * SHAPES; k++) {
        const int64_t n = shapes[k / 3][0], hw = shapes[k / 3][1], c = shapes[k / 3][2], pieces = (int64_t[]){2, 3, 9}[k % 3];
        const int64_t count = n * hw * c;
        check_case("n=%lld hw=%lld c=%lld pieces=%lld", (long long)n, (long long)hw, (long long)c, (long long)pieces);
        double *x = check_uniforms(count * pieces, -1, 1), *g = check_uniforms(count, -1, 1);
        double *y = check_alloc_reals(TARN_F64, count), *grad = check_alloc_reals(TARN_F64, count * pieces);
        double *exact = check_alloc_reals(TARN_F64, count * pieces);
        memset(exact, 0, (size_t)(count * pieces) * sizeof(double));
        for (int64_t i = 0; i < count; i++) {
            double *piece = x + i / c * pieces * c + i % c, *to = grad + i / c * pieces * c + i % c;
            if (i % 5 == 0) {
                piece[c] = piece[0];
            }
            if (i % 97 == 0) {
                piece[(pieces - 1) * c] = NAN;
            }
            int64_t best = 0;
            for (int64_t j = 0; j < pieces; j++) {
                best = isnan(piece[best * c]) ? best : isnan(piece[j * c]) || piece[j * c] > piece[best * c] ? j : best;
            }
            y[i] = piece[best * c];
            for (int64_t j = 0; j < pieces; j++) {
                to[j * c] = j == best ? g[i] : 0;
            }
        }
        CHECK_EACH(v, "maxout_forward") {
            tarn_maxout_args a = {.n = n, .hw = hw, .c = c, .pieces = pieces,
                .input = check_reals(v->dtype, x, count * pieces), .output = check_alloc_reals(v->dtype, count)};
            check_runs(v, &a, CHECK_RANDOM);
            a.index = check_alloc(count);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("output", v->dtype, a.output, y, exact, count);
            CHECK_EACH(b, "maxout_backward") {
                if (b->dtype == v->dtype) {
                    a.grad_output = check_reals(v->dtype, g, count);
                    a.grad_input = check_alloc_reals(v->dtype, count * pieces);
                    check_runs(b, &a, CHECK_RANDOM);
                    check_within("grad_input", v->dtype, a.grad_input, grad, exact, count * pieces);
                }
            }
        }
        check_release();
    }
}

static void nonsense_is_refused(void) {
    float x[8] = {0};
#define REFUSED(change) \
    { \
        a = good; \
        change; \
        CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, "accepts %s", #change); \
    }
    static const char *const parametric[] = {"parametric_forward", "parametric_backward"};
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, parametric[k]) {
            tarn_parametric_args good = {.n = 1, .hw = 1, .c = 2, .activation = TARN_SWISH, .alphas = 2, .input = x,
                .alpha = x, .output = x, .grad_output = x, .grad_input = x, .grad_alpha = x}, a = good;
            CHECK(check_plan(v, &a) == TARN_OK, "good arguments");
            REFUSED(a.n = -1);
            REFUSED(a.n = INT64_MAX);
            REFUSED(a.c = 0);
            REFUSED(a.alphas = 3);
            REFUSED(a.activation = TARN_RELU);
            REFUSED(a.input = NULL);
            REFUSED(a.alpha = NULL);
            REFUSED((a.output = NULL, a.grad_alpha = NULL));
        }
    }
    static const char *const maxout[] = {"maxout_forward", "maxout_backward"};
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, maxout[k]) {
            tarn_maxout_args good = {.n = 1, .hw = 1, .c = 2, .pieces = 2, .input = x, .output = x, .index = x,
                .grad_output = x, .grad_input = x}, a = good;
            CHECK(check_plan(v, &a) == TARN_OK, "good arguments");
            REFUSED(a.n = -1);
            REFUSED(a.c = INT64_MAX);
            REFUSED(a.c = 0);
            REFUSED(a.pieces = 1);
            REFUSED(a.pieces = 257);
            REFUSED((a.output = NULL, a.index = NULL));
        }
    }
}

CHECK_MAIN({"parametric_forward_equals_reference", parametric_forward_equals_reference},
        {"parametric_backward_equals_the_plain_sum", parametric_backward_equals_the_plain_sum},
        {"maxout_takes_the_first_largest_piece_and_sends_the_gradient_there",
                maxout_takes_the_first_largest_piece_and_sends_the_gradient_there},
        {"nonsense_is_refused", nonsense_is_refused})
