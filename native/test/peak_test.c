/* Chains of multiply-adds end where the formula says, exactly, at every level. */
#include "check.h"

enum { CHAINS = 384 };

static void every_chain_ends_at_its_closed_form(void) {
    static const int64_t steps[] = {1, 2, 7, 15, 200}; /* up to 15 the result has no more than 24 bits */
    static const int64_t examples[] = {1, 3};
    for (int k = 0; k < 10; k++) {
        int64_t count = steps[k / 2], n = examples[k % 2];
        check_case("steps=%lld n=%lld", (long long)count, (long long)n);
        CHECK_EACH(v, "fma_chains") {
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                tarn_fma_args a = {.n = n, .steps = count, .output = check_alloc_reals(v->dtype, n * CHAINS)};
                check_runs(v, &a, split);
                for (int64_t i = 0; i < n * CHAINS; i++) {
                    double want = 2 + ldexp((double)(i % CHAINS - 2), (int)-count);
                    want = count == 200 ? 2 : want;
                    CHECK(check_get(v->dtype, a.output, i) == want, "output[%lld] is %.9g, want %.9g", (long long)i,
                            check_get(v->dtype, a.output, i), want);
                }
            }
        }
        check_release();
    }
}

static void sizes_that_make_no_sense_are_refused(void) {
    check_case("bad sizes");
    CHECK_EACH(v, "fma_chains") {
        tarn_plan plan;
        float output[CHAINS];
        tarn_fma_args no_steps = {.n = 1, .output = output}, negative = {.n = -1, .steps = 1, .output = output};
        tarn_fma_args huge = {.n = INT64_MAX / 8, .steps = 1, .output = output}, nowhere = {.n = 1, .steps = 1};
        CHECK(v->plan(&no_steps, &plan) == TARN_BAD_ARGUMENT, "no steps");
        CHECK(v->plan(&negative, &plan) == TARN_BAD_ARGUMENT, "negative");
        CHECK(v->plan(&huge, &plan) == TARN_BAD_ARGUMENT, "huge");
        CHECK(v->plan(&nowhere, &plan) == TARN_BAD_ARGUMENT, "nowhere");
    }
}

CHECK_MAIN({"every_chain_ends_at_its_closed_form", every_chain_ends_at_its_closed_form},
        {"sizes_that_make_no_sense_are_refused", sizes_that_make_no_sense_are_refused})
