/* Dropout: the generator's published numbers, every level equal to the bit, METHODS G5, G6 and G8. */
#include "check.h"
#include "dropout/philox.h"

static void philox_gives_the_published_numbers(void) {
    static const struct { uint32_t counter[4], key[2], want[4]; } known[] = { /* the authors' known-answer tests */
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff},
            {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0},
            {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    for (int k = 0; k < 3; k++) {
        uint32_t word[4];
        memcpy(word, known[k].counter, sizeof word);
        philox4x32(word, known[k].key[0], known[k].key[1]);
        check_bits("words", word, known[k].want, sizeof word);
    }
}

static const int64_t sizes[] = {1, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 97, 1009, 32767, 32768, 32769, 100003};
#define SIZES ((int)(sizeof sizes / sizeof sizes[0]))
static const double keeps[] = {0x1p-24, 0.1, 0.5, 0.8, 1 - 0x1p-24, 1};
#define KEEPS ((int)(sizeof keeps / sizeof keeps[0]))

/* Inverted, plain, and of a constant for what is dropped. */
enum { INVERTED, PLAIN, SHIFTED, FORMS };

static tarn_dropout_args args_of(int form, double keep, int64_t count) {
    tarn_dropout_args a = {.n = 1, .count = count, .keep = keep, .scale = form == PLAIN ? 1 : 1 / keep};
    if (form == SHIFTED) {
        a.scale = 0.875, a.shift = 0.3, a.dropped = -1.25;
    }
    return a;
}

static double rounded(int64_t t, double x) { return t == TARN_F64 ? x : (float)x; }

/* Whether element i is kept, from the documented definition. */
static int is_kept(const tarn_dropout_args *a, int64_t step, int64_t i) {
    uint64_t block = (uint64_t)i / 4, seed = (uint64_t)a->seed;
    uint32_t high = (uint32_t)(block >> 32) + (uint32_t)((uint64_t)step >> 32);
    uint32_t word[4] = {(uint32_t)block, high, (uint32_t)step, (uint32_t)a->stream};
    philox4x32(word, (uint32_t)seed, (uint32_t)(seed >> 32));
    return (word[i % 4] >> 8) * 0x1p-24 < a->keep;
}

static void every_level_keeps_what_the_definition_says(void) {
    for (int k = 0; k < SIZES * KEEPS * FORMS; k++) {
        int64_t size = sizes[k / KEEPS / FORMS], step = (int64_t)(check_random() >> 1), bytes = (size + 7) / 8;
        int form = k % FORMS;
        double keep = keeps[k / FORMS % KEEPS];
        check_case("count=%lld keep=%.9g form=%d", (long long)size, keep, form);
        double *x = check_uniforms(size, -2, 2), *g = check_uniforms(size, -2, 2);
        x[check_random() % (uint64_t)size] = NAN;
        x[check_random() % (uint64_t)size] = 0x1p-140; /* a denormal float */
        int64_t seed = (int64_t)check_random(), stream = (int64_t)(check_random() & 0xFFFFFFFF);
        CHECK_EACH(v, "dropout_forward") {
            int64_t t = v->dtype;
            tarn_dropout_args a = args_of(form, keep, size);
            a.seed = seed, a.stream = stream, a.step = &step;
            a.input = check_reals(t, x, size), a.output = check_alloc_reals(t, size), a.mask = check_alloc(bytes);
            check_runs(v, &a, CHECK_SINGLE);
            double scale = rounded(t, a.scale), shift = rounded(t, a.shift), dropped = rounded(t, a.dropped);
            for (int64_t i = 0; i < size; i++) {
                int kept = is_kept(&a, step, i);
                double got = check_get(t, a.output, i);
                double want = kept ? rounded(t, rounded(t, x[i] * scale) + shift) : dropped;
                CHECK((((uint8_t *)a.mask)[i / 8] >> i % 8 & 1) == kept, "mask bit %lld", (long long)i);
                CHECK(check_near(t, got, want, 0) && (a.scale != 1 || isnan(got) || got == want),
                        "output[%lld] is %g, want %g", (long long)i, got, want);
            }
            CHECK(size % 8 == 0 || ((uint8_t *)a.mask)[bytes - 1] >> size % 8 == 0, "bits beyond the last element");
            if (keep == 1 && form != SHIFTED) {
                check_bits("keep = 1", a.output, a.input, size * check_size(t));
            }
            void *output = a.output, *mask = a.mask;
            a.output = a.input, a.mask = check_alloc(bytes);
            check_runs(v, &a, CHECK_RANDOM);
            check_bits("in place", a.output, output, size * check_size(t));
            check_bits("mask of another split", a.mask, mask, bytes);
            CHECK_EACH(backward, "dropout_backward") { /* G8 */
                if (backward->dtype == t) {
                    a.grad_output = check_reals(t, g, size), a.grad_input = check_alloc_reals(t, size);
                    check_runs(backward, &a, CHECK_SINGLE);
                    for (int64_t i = 0; i < size; i++) {
                        double want = is_kept(&a, step, i) ? rounded(t, g[i] * scale) : 0;
                        CHECK(check_get(t, a.grad_input, i) == want, "grad_input[%lld]", (long long)i);
                    }
                    void *grad_input = a.grad_input;
                    a.grad_input = a.grad_output;
                    check_runs(backward, &a, CHECK_RANDOM);
                    check_bits("gradient in place", a.grad_input, grad_input, size * check_size(t));
                }
            }
        }
        check_release();
    }
}

static void keep_is_compared_exactly(void) { /* a keep just above an element's number, and equal to it */
    enum { COUNT = 64 };
    int64_t step = 5;
    double *x = check_uniforms(COUNT, 1, 2);
    for (int64_t i = 0; i < COUNT; i++) {
        uint32_t word[4] = {(uint32_t)i / 4, 0, (uint32_t)step, 2};
        philox4x32(word, 11, 0);
        for (int above = 0; above < 2; above++) {
            CHECK_EACH(v, "dropout_forward") {
                tarn_dropout_args a = args_of(PLAIN, ((word[i % 4] >> 8) + above * 0.5) * 0x1p-24, COUNT);
                a.seed = 11, a.stream = 2, a.step = &step;
                a.input = check_reals(v->dtype, x, COUNT), a.output = check_alloc_reals(v->dtype, COUNT);
                a.mask = check_alloc(COUNT / 8);
                check_runs(v, &a, CHECK_WHOLE);
                CHECK((((uint8_t *)a.mask)[i / 8] >> i % 8 & 1) == above, "element %lld, keep %.17g", (long long)i,
                        a.keep);
            }
        }
        check_release();
        x = check_uniforms(COUNT, 1, 2);
    }
}

static void the_share_kept_is_binomial(void) { /* G5: five standard deviations */
    enum { COUNT = 200000 };
    double *x = check_uniforms(COUNT, 1, 2);
    int64_t step = 3;
    CHECK_EACH(v, "dropout_forward") {
        tarn_dropout_args a = args_of(INVERTED, 0.3, COUNT);
        a.seed = 7, a.stream = 1, a.step = &step;
        a.input = check_reals(v->dtype, x, COUNT), a.output = check_alloc_reals(v->dtype, COUNT);
        a.mask = check_alloc(COUNT / 8);
        check_runs(v, &a, CHECK_WHOLE);
        int64_t kept = 0;
        for (int64_t i = 0; i < COUNT; i++) {
            kept += check_get(v->dtype, a.output, i) != 0;
        }
        CHECK(fabs((double)kept - 0.3 * COUNT) <= 5 * sqrt(COUNT * 0.3 * 0.7), "%lld kept", (long long)kept);
        void *mask = a.mask;
        step = 4; /* read at run time */
        a.mask = check_alloc(COUNT / 8);
        check_runs(v, &a, CHECK_WHOLE);
        CHECK(memcmp(mask, a.mask, COUNT / 8) != 0, "another step, the same mask");
        step = 3;
    }
}

static void nonsense_is_refused(void) {
    float x[1];
    int64_t step = 0;
    static const char *const ops[] = {"dropout_forward", "dropout_backward"};
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, ops[k]) {
            tarn_dropout_args good = args_of(INVERTED, 0.5, 2), a;
            good.step = &step;
            good.input = good.output = good.mask = good.grad_output = good.grad_input = x;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
            REFUSED(a.n = -1);
            REFUSED(a.count = 0);
            REFUSED(a.count = INT64_MAX);
            REFUSED(a.keep = 0);
            REFUSED(a.keep = 1.0000001);
            REFUSED(a.keep = NAN);
            REFUSED(a.scale = INFINITY);
            REFUSED(a.shift = NAN);
            REFUSED(a.dropped = -INFINITY);
            REFUSED(a.mask = NULL);
            REFUSED((a.output = a.grad_input = NULL));
            if (k == 0) {
                REFUSED(a.step = NULL);
            }
            a = good;
            a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"philox_gives_the_published_numbers", philox_gives_the_published_numbers},
        {"every_level_keeps_what_the_definition_says", every_level_keeps_what_the_definition_says},
        {"keep_is_compared_exactly", keep_is_compared_exactly},
        {"the_share_kept_is_binomial", the_share_kept_is_binomial}, {"nonsense_is_refused", nonsense_is_refused})
