/* Moving data: bits arrive where they belong and nowhere else. */
#include "check.h"

/* copy_channels leaves the channels beside them as they are, pad_channels makes them zero. */
static void channels_land_in_their_place(const char *op, int pads) {
    static const int64_t shapes[][7] = { /* n, hw, c, input pitch, first, output pitch, first */
        {1, 1, 1, 1, 0, 1, 0}, {2, 3, 5, 9, 2, 7, 1}, {1, 7, 8, 8, 0, 24, 16}, {3, 4, 16, 33, 17, 16, 0},
        {1, 5, 17, 40, 23, 19, 2},
        {2, 9, 31, 31, 0, 64, 33}, {1, 100, 64, 64, 0, 192, 64}, {2, 900, 33, 70, 1, 40, 7}};
    for (int k = 0; k < (int)(sizeof shapes / sizeof shapes[0]); k++) {
        const int64_t *s = shapes[k];
        int64_t rows = s[0] * s[1], from = rows * s[3], to = rows * s[5];
        check_case("%s rows=%lld c=%lld", op, (long long)rows, (long long)s[2]);
        double *x = check_uniforms(from, -1, 1), *y = check_uniforms(to, -1, 1);
        CHECK_EACH(v, op) {
            for (enum check_split split = 0; split < CHECK_SPLITS; split++) {
                tarn_channels_args a = {.n = s[0], .hw = s[1], .c = s[2], .input_pitch = s[3], .input_channel = s[4],
                    .output_pitch = s[5], .output_channel = s[6], .input = check_reals(v->dtype, x, from),
                    .output = check_reals(v->dtype, y, to)};
                check_runs(v, &a, split);
                for (int64_t i = 0; i < to; i++) {
                    int64_t c = i % s[5] - s[6];
                    double want = c >= 0 && c < s[2] ? x[i / s[5] * s[3] + s[4] + c] : pads ? 0 : y[i];
                    CHECK(check_get(v->dtype, a.output, i) == want, "output[%lld]", (long long)i);
                }
            }
        }
        check_release();
    }
}

static void copied_channels_land_in_their_place(void) { channels_land_in_their_place("copy_channels", 0); }

static void padded_channels_have_zeros_beside_them(void) { channels_land_in_their_place("pad_channels", 1); }

static void rows_become_columns_and_come_back(void) { /* METHODS C1 */
    static const int64_t sizes[] = {1, 2, 7, 8, 9, 15, 16, 17, 31, 49, 64, 65, 130};
    enum { SIZES = sizeof sizes / sizeof sizes[0] };
    for (int k = 0; k < SIZES * SIZES; k++) {
        int64_t n = 1 + k % 3, rows = sizes[k / SIZES], cols = sizes[k % SIZES], count = n * rows * cols;
        check_case("n=%lld rows=%lld cols=%lld", (long long)n, (long long)rows, (long long)cols);
        double *x = check_uniforms(count, -1, 1);
        CHECK_EACH(v, "transpose") {
            tarn_transpose_args a = {.n = n, .rows = rows, .cols = cols, .input = check_reals(v->dtype, x, count),
                .output = check_alloc_reals(v->dtype, count)};
            check_runs(v, &a, CHECK_SINGLE);
            for (int64_t i = 0; i < count; i++) {
                int64_t matrix = i / (rows * cols), row = i % rows, col = i / rows % cols;
                CHECK(check_get(v->dtype, a.output, i) == x[(matrix * rows + row) * cols + col], "output[%lld]",
                        (long long)i);
            }
            tarn_transpose_args back = {.n = n, .rows = cols, .cols = rows, .input = a.output,
                .output = check_alloc_reals(v->dtype, count)};
            check_runs(v, &back, CHECK_RANDOM);
            check_bits("there and back", back.output, a.input, count * check_size(v->dtype));
        }
        check_release();
    }
}

static void nonsense_is_refused(void) {
    float x[1];
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
    CHECK_EACH(v, "copy_channels") {
        tarn_channels_args good = {.n = 1, .hw = 2, .c = 3, .input_pitch = 4, .input_channel = 1, .output_pitch = 5,
            .output_channel = 2, .input = x, .output = x}, a;
        CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
        REFUSED(a.n = -1);
        REFUSED(a.c = 0);
        REFUSED(a.input_channel = 2);
        REFUSED(a.input_channel = INT64_MAX);
        REFUSED(a.output_channel = -1);
        REFUSED(a.output_channel = 3);
        REFUSED(a.output_pitch = INT64_MAX);
        REFUSED(a.input = NULL);
        a = good, a.n = 0;
        CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
    }
    CHECK_EACH(v, "transpose") {
        tarn_transpose_args good = {.n = 1, .rows = 2, .cols = 3, .input = x, .output = x}, a;
        CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
        REFUSED(a.n = -1);
        REFUSED(a.rows = 0);
        REFUSED(a.cols = INT64_MAX / 2);
        REFUSED(a.output = NULL);
        a = good, a.n = 0;
        CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
    }
}

CHECK_MAIN({"copied_channels_land_in_their_place", copied_channels_land_in_their_place},
        {"padded_channels_have_zeros_beside_them", padded_channels_have_zeros_beside_them},
        {"rows_become_columns_and_come_back", rows_become_columns_and_come_back},
        {"nonsense_is_refused", nonsense_is_refused})
