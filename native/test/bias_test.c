/* Bias: every level against the reference, in place, in any split, accumulating. */
#include "check.h"

static const int64_t shapes[][3] = {{1, 1, 1}, {2, 3, 7}, {3, 1, 8}, {1, 13, 9}, {5, 4, 15}, {2, 8, 16}, {1, 31, 17},
        {64, 1, 10},
    {3, 49, 31}, {2, 25, 32}, {7, 11, 33}, {4, 100, 79}, {3, 1700, 64}, {2, 64, 1000}};
#define SHAPES ((int)(sizeof shapes / sizeof shapes[0]))

static void forward_equals_reference(void) {
    for (int k = 0; k < 3 * SHAPES; k++) {
        int64_t n = shapes[k / 3][0], hw = shapes[k / 3][1], c = shapes[k / 3][2], count = n * hw * c;
        check_case("n=%lld hw=%lld c=%lld act=%d", (long long)n, (long long)hw, (long long)c, k % 3);
        double *x = check_uniforms(count, -2, 8), *bias = check_uniforms(c, -1, 1);
        double *want = check_alloc_reals(TARN_F64, count), *bound = check_alloc_reals(TARN_F64, count);
        x[check_random() % (uint64_t)count] = NAN;
        tarn_bias_args a = {.n = n, .hw = hw, .c = c, .activation = k % 3, .input = x, .bias = bias, .output = want};
        check_runs(check_reference("bias_forward"), &a, CHECK_WHOLE);
        for (int64_t i = 0; i < count; i++) {
            bound[i] = check_unit(TARN_F32) * fabs(want[i]); /* one sum */
        }
        CHECK_EACH(v, "bias_forward") {
            a.input = check_reals(v->dtype, x, count), a.bias = check_reals(v->dtype, bias, c);
            void *single = a.output = check_alloc_reals(v->dtype, count);
            check_runs(v, &a, CHECK_SINGLE);
            check_within("output", v->dtype, a.output, want, bound, count);
            a.output = a.input;
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("in place", a.output, single, count * check_size(v->dtype));
        }
        check_release();
    }
}

static void backward_equals_the_plain_sum(void) { /* METHODS C5 */
    for (int k = 0; k < SHAPES; k++) {
        int64_t n = shapes[k][0], hw = shapes[k][1], c = shapes[k][2], count = n * hw * c;
        check_case("n=%lld hw=%lld c=%lld", (long long)n, (long long)hw, (long long)c);
        double *g = check_uniforms(count, -1, 1), *start = check_uniforms(c, -1, 1);
        double *want = check_alloc_reals(TARN_F64, c);
        double *bound = check_alloc_reals(TARN_F64, c), *twice = check_alloc_reals(TARN_F64, c);
        for (int64_t j = 0; j < c; j++) {
            double sum = 0, size = fabs(start[j]);
            for (int64_t i = j; i < count; i += c) {
                sum += g[i], size += fabs(g[i]);
            }
            want[j] = start[j] + sum, twice[j] = start[j] + 2 * sum;
            /* sums in double; each run rounds once */
            bound[j] = check_unit(TARN_F32) * (fabs(want[j]) + fabs(twice[j]))
                    + check_gamma(TARN_F64, 4 * (double)count) * size;
        }
        CHECK_EACH(v, "bias_backward") {
            tarn_bias_args a = {.n = n, .hw = hw, .c = c, .grad_output = check_reals(v->dtype, g, count),
                .grad_bias = check_reals(v->dtype, start, c)};
            check_runs(v, &a, CHECK_SINGLE);
            check_within("grad_bias", v->dtype, a.grad_bias, want, bound, c);
            void *single = a.grad_bias;
            a.grad_bias = check_reals(v->dtype, start, c);
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("grad_bias of another split", a.grad_bias, single, c * check_size(v->dtype));
            check_runs(v, &a, CHECK_WHOLE);
            check_within("grad_bias of a second run", v->dtype, a.grad_bias, twice, bound, c);
        }
        check_release();
    }
}

static void nonsense_is_refused(void) {
    float x[1];
    static const char *const ops[] = {"bias_forward", "bias_backward"};
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, ops[k]) {
            tarn_bias_args good = {.n = 1, .hw = 2, .c = 3, .input = x, .bias = x, .output = x, .grad_output = x,
                    .grad_bias = x}, a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = -1);
            REFUSED(a.hw = 0);
            REFUSED(a.activation = TARN_SCALE + 1);
            REFUSED(a.c = INT64_MAX);
            REFUSED((a.input = a.grad_output = NULL));
            REFUSED((a.bias = a.grad_bias = NULL));
            if (k == 1) {
                REFUSED(a.activation = TARN_RELU);
            }
            a = good;
            a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"forward_equals_reference", forward_equals_reference},
        {"backward_equals_the_plain_sum", backward_equals_the_plain_sum},
        {"nonsense_is_refused", nonsense_is_refused})
