/* What is measured of gradients and weights and done to those that are too large: sums, clipping, largest norms. */
#include "check.h"

static const int64_t sizes[] = {1, 7, 8, 9, 31, 32767, 32768, 32769, 98311};
#define SIZES ((int)(sizeof sizes / sizeof sizes[0]))

static void sums_are_those_of_the_elements(void) {
    for (int k = 0; k < SIZES; k++) {
        int64_t count = sizes[k];
        check_case("count=%lld", (long long)count);
        double *x = check_uniforms(count, -3, 3), squares = 0, absolutes = 0, first[2] = {0, 0};
        for (int64_t i = 0; i < count; i++) {
            squares += x[i] * x[i], absolutes += fabs(x[i]);
        }
        CHECK_EACH(v, "sums") {
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                double sums[2] = {NAN, NAN};
                tarn_sums_args a = {.n = 1, .count = count, .input = check_reals(v->dtype, x, count), .sums = sums};
                check_runs(v, &a, split);
                double gamma = 2 * check_gamma(TARN_F64, (double)count);
                CHECK(fabs(sums[0] - squares) <= gamma * squares, "squares %.17g, want %.17g", sums[0], squares);
                CHECK(fabs(sums[1] - absolutes) <= gamma * absolutes, "sizes %.17g, want %.17g", sums[1], absolutes);
                if (split == CHECK_WHOLE) {
                    memcpy(first, sums, sizeof sums);
                }
                check_bits("sums of another split", sums, first, sizeof sums);
            }
        }
        check_release();
    }
}

static void a_norm_is_clipped_by_one_factor(void) {
    for (int k = 0; k < SIZES; k++) {
        int64_t count = sizes[k];
        double *g = check_uniforms(count, -3, 3), factor = 0.3;
        check_case("count=%lld", (long long)count);
        CHECK_EACH(v, "clip_norm") {
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                tarn_clip_args a = {.n = 1, .count = count, .factor = &factor, .grad = check_reals(v->dtype, g, count)};
                check_runs(v, &a, split);
                for (int64_t i = 0; i < count; i++) {
                    double want = v->dtype == TARN_F64 ? g[i] * factor : (double)((float)g[i] * (float)factor);
                    CHECK(check_get(v->dtype, a.grad, i) == want, "grad[%lld]", (long long)i);
                }
            }
        }
        check_release();
    }
}

static void values_are_clipped_and_nan_stays(void) {
    for (int k = 0; k < SIZES; k++) {
        int64_t count = sizes[k];
        double *g = check_uniforms(count, -3, 3);
        g[count / 2] = NAN;
        check_case("count=%lld", (long long)count);
        CHECK_EACH(v, "clip_value") {
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                tarn_clip_args a = {.n = 1, .count = count, .limit = 1.5, .grad = check_reals(v->dtype, g, count)};
                check_runs(v, &a, split);
                for (int64_t i = 0; i < count; i++) {
                    double got = check_get(v->dtype, a.grad, i);
                    CHECK(i == count / 2 ? isnan(got) : got == fmax(-1.5, fmin(1.5, g[i])), "grad[%lld]", (long long)i);
                }
            }
        }
        check_release();
    }
}

/* METHODS G4, for the incoming weights of each output */
static void columns_are_scaled_down_to_the_largest_norm(void) {
    static const int64_t shapes[][2] = {{1, 1}, {1, 65}, {7, 3}, {9, 64}, {576, 129}, {4, 1000}};
    const double limit = 1.25;
    for (int k = 0; k < (int)(sizeof shapes / sizeof shapes[0]); k++) {
        int64_t rows = shapes[k][0], c = shapes[k][1];
        check_case("rows=%lld c=%lld", (long long)rows, (long long)c);
        double *w = check_uniforms(rows * c, -1, 1);
        for (int64_t i = 0; i < rows * c; i++) {
            w[i] *= i % c % 3 == 0 ? 4 : i % c % 3 == 1 ? 0.015625 : 1;
        }
        CHECK_EACH(v, "max_norm") {
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                tarn_max_norm_args a = {.n = 1, .rows = rows, .c = c, .limit = limit,
                    .weight = check_reals(v->dtype, w, rows * c)};
                check_runs(v, &a, split);
                for (int64_t j = 0; j < c; j++) {
                    double before = 0, after = 0;
                    for (int64_t i = 0; i < rows; i++) {
                        before += w[i * c + j] * w[i * c + j];
                        after += pow(check_get(v->dtype, a.weight, i * c + j), 2);
                    }
                    before = sqrt(before), after = sqrt(after);
                    CHECK(after <= limit * (1 + 1e-6), "norm %g", after);
                    CHECK(before <= limit || after >= limit * (1 - 1e-6), "norm %g of %g", after, before);
                    double factor = before > limit ? limit / before : 1;
                    for (int64_t i = 0; i < rows; i++) {
                        double got = check_get(v->dtype, a.weight, i * c + j), want = w[i * c + j] * factor;
                        double bound = factor == 1 ? 0 : check_gamma(v->dtype, 2) * fabs(want) + 1e-13 * fabs(want);
                        CHECK(fabs(got - want) <= bound, "weight %lld,%lld", (long long)i, (long long)j);
                    }
                }
            }
        }
        check_release();
    }
}

static void nonsense_is_refused(void) {
    double x[2] = {1, 1};
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
    CHECK_EACH(v, "sums") {
        tarn_sums_args good = {.n = 1, .count = 2, .input = x, .sums = x}, a;
        CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
        REFUSED(a.n = 2);
        REFUSED(a.count = 0);
        REFUSED(a.count = INT64_MAX);
        REFUSED(a.input = NULL);
        REFUSED(a.sums = NULL);
    }
    CHECK_EACH(v, "clip_norm") {
        tarn_clip_args good = {.n = 1, .count = 2, .factor = x, .grad = x}, a;
        CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
        REFUSED(a.count = 0);
        REFUSED(a.factor = NULL);
        REFUSED(a.grad = NULL);
    }
    CHECK_EACH(v, "clip_value") {
        tarn_clip_args good = {.n = 1, .count = 2, .limit = 1, .grad = x}, a;
        CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
        REFUSED(a.n = -1);
        REFUSED(a.limit = 0);
        REFUSED(a.limit = NAN);
        REFUSED(a.grad = NULL);
    }
    CHECK_EACH(v, "max_norm") {
        tarn_max_norm_args good = {.n = 1, .rows = 1, .c = 2, .limit = 3, .weight = x}, a;
        CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
        REFUSED(a.rows = 0);
        REFUSED(a.c = INT64_MAX);
        REFUSED(a.limit = -1);
        REFUSED(a.limit = NAN);
        REFUSED(a.weight = NULL);
    }
}

CHECK_MAIN({"sums_are_those_of_the_elements", sums_are_those_of_the_elements},
        {"a_norm_is_clipped_by_one_factor", a_norm_is_clipped_by_one_factor},
        {"values_are_clipped_and_nan_stays", values_are_clipped_and_nan_stays},
        {"columns_are_scaled_down_to_the_largest_norm", columns_are_scaled_down_to_the_largest_norm},
        {"nonsense_is_refused", nonsense_is_refused})
