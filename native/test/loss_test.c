/* Losses: closed forms, finite differences, labels out of range. METHODS L1, L3. */
#include "check.h"

static tarn_cross_entropy_args cross_entropy(int64_t t, int64_t n, int64_t classes, const double *logits,
        const int32_t *labels) {
    tarn_cross_entropy_args a = {.n = n, .classes = classes, .logits = check_reals(t, logits, n * classes),
        .labels = check_alloc(n * 4), .probabilities = check_alloc_reals(t, n * classes), .loss = check_alloc(8),
        .grad_logits = check_alloc_reals(t, n * classes)};
    memcpy(a.labels, labels, (size_t)n * 4);
    return a;
}

static void backward(int64_t dtype, tarn_cross_entropy_args *a, enum check_split split) {
    CHECK_EACH(v, "cross_entropy_backward") {
        if (v->dtype == dtype) {
            check_runs(v, a, split);
        }
    }
}

static void cross_entropy_agrees_with_the_definition_and_its_gradient_with_probabilities(void) {
    static const int64_t shapes[][2] = {{1, 1}, {1, 2}, {3, 7}, {64, 10}, {5, 1000}, {997, 11}, {2, 5000}};
    for (int k = 0; k < 7 * 3; k++) {
        int64_t n = shapes[k / 3][0], classes = shapes[k / 3][1];
        double smoothing = k % 3 * 0.5;
        check_case("n=%lld classes=%lld smoothing=%g", (long long)n, (long long)classes, smoothing);
        double *x = check_uniforms(n * classes, -9, 9), want = 0, size = 1;
        int32_t *labels = check_alloc(n * 4);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            labels[i] = (int32_t)(check_random() % (uint64_t)classes);
            for (int64_t j = 0; j < classes; j++) {
                sum += exp(x[i * classes + j]);
            }
            for (int64_t j = 0; j < classes; j++) {
                double target = smoothing / (double)classes + (j == labels[i] ? 1 - smoothing : 0);
                want -= target * (x[i * classes + j] - log(sum)) / (double)n;
                size += target * (fabs(x[i * classes + j]) + fabs(log(sum))) / (double)n;
            }
        }
        CHECK_EACH(v, "cross_entropy_forward") {
            tarn_cross_entropy_args a = cross_entropy(v->dtype, n, classes, x, labels);
            a.smoothing = smoothing;
            check_runs(v, &a, CHECK_SINGLE);
            double loss = *(double *)a.loss;
            CHECK(check_near(TARN_F64, loss, want, check_gamma(TARN_F64, (double)(n + 4 * classes + 20)) * size),
                    "loss %.17g, want %.17g", loss, want);
            check_runs(v, &a, CHECK_RANDOM);
            CHECK(*(double *)a.loss == loss, "another split, another loss");
            backward(v->dtype, &a, CHECK_SINGLE);
            for (int64_t i = 0; i < n; i++) {
                double row = 0;
                for (int64_t j = 0; j < classes; j++) {
                    double p = check_get(v->dtype, a.probabilities, i * classes + j);
                    double g = check_get(v->dtype, a.grad_logits, i * classes + j);
                    double y = smoothing / (double)classes + (j == labels[i] ? 1 - smoothing : 0);
                    CHECK(check_near(v->dtype, g, (p - y) / (double)n, check_gamma(v->dtype, 4) * (p + y) / (double)n),
                            "gradient %g, want %g", g, (p - y) / (double)n);
                    row += g;
                }
                CHECK(fabs(row) * (double)n <= check_gamma(v->dtype, 3 + (double)classes / 100) * 4, "row sums to %g",
                        row);
            }
        }
        check_release();
    }
}

static void uniform_logits_give_the_logarithm_of_classes_and_a_shift_changes_nothing(void) {
    double x[30], shifted[30];
    int32_t labels[3] = {0, 9, 4};
    CHECK_EACH(v, "cross_entropy_forward") {
        for (int i = 0; i < 30; i++) {
            x[i] = 1.5;
        }
        tarn_cross_entropy_args a = cross_entropy(v->dtype, 3, 10, x, labels);
        check_runs(v, &a, CHECK_WHOLE);
        CHECK(fabs(*(double *)a.loss - log(10)) <= 1e-14, "loss %.17g", *(double *)a.loss);
        for (int i = 0; i < 30; i++) {
            x[i] = floor(check_uniform(-8, 8)), shifted[i] = x[i] + 1e4;
        }
        a = cross_entropy(v->dtype, 3, 10, x, labels);
        check_runs(v, &a, CHECK_WHOLE);
        double loss = *(double *)a.loss;
        a = cross_entropy(v->dtype, 3, 10, shifted, labels);
        check_runs(v, &a, CHECK_WHOLE);
        CHECK(fabs(*(double *)a.loss - loss) <= 1e-6, "shifted: %.17g, %.17g", *(double *)a.loss, loss);
    }
}

static void a_label_out_of_range_is_reported(void) {
    double *x = check_uniforms(5 * 4, -1, 1);
    static const int32_t bad[] = {-1, 4, INT32_MAX, INT32_MIN};
    for (int k = 0; k < 4; k++) {
        int32_t labels[5] = {0, 1, 2, 3, bad[k]};
        CHECK_EACH(v, "cross_entropy_forward") {
            tarn_cross_entropy_args a = cross_entropy(v->dtype, 5, 4, x, labels);
            CHECK(check_run(v, &a, CHECK_WHOLE) == TARN_BAD_LABEL, "label %d", bad[k]);
        }
        CHECK_EACH(v, "cross_entropy_backward") {
            tarn_cross_entropy_args a = cross_entropy(v->dtype, 5, 4, x, labels);
            CHECK(check_run(v, &a, CHECK_WHOLE) == TARN_BAD_LABEL, "label %d", bad[k]);
        }
    }
}

static void cross_entropy_gradient_equals_finite_differences(void) { /* K1 */
    enum { N = 3, C = 5 };
    double *x = check_uniforms(N * C, -2, 2), h = 1e-5;
    int32_t labels[N] = {0, 4, 2};
    tarn_cross_entropy_args a = cross_entropy(TARN_F64, N, C, x, labels);
    a.smoothing = 0.1;
    const tarn_variant *forward = check_reference("cross_entropy_forward");
    check_runs(forward, &a, CHECK_WHOLE);
    backward(TARN_F64, &a, CHECK_WHOLE);
    for (int i = 0; i < N * C; i++) {
        double *at = (double *)a.logits + i, value = *at;
        *at = value + h;
        check_runs(forward, &a, CHECK_WHOLE);
        double above = *(double *)a.loss;
        *at = value - h;
        check_runs(forward, &a, CHECK_WHOLE);
        double numeric = (above - *(double *)a.loss) / (2 * h), g = ((double *)a.grad_logits)[i];
        *at = value;
        CHECK(fabs(numeric - g) <= 1e-7 * fmax(fabs(numeric), 0.01), "gradient %g, difference %g", g, numeric);
    }
}

/* libtorch's formula: both shares of the target are weighted, and both sums divided by that of the labels' weights. */
static void classes_have_weights(void) {
    static const int64_t shapes[][2] = {{1, 3}, {7, 5}, {64, 10}, {997, 11}};
    for (int k = 0; k < 4 * 2; k++) {
        const int64_t n = shapes[k / 2][0], classes = shapes[k / 2][1];
        const double smoothing = k % 2 * 0.3;
        check_case("n=%lld classes=%lld smoothing=%g", (long long)n, (long long)classes, smoothing);
        double *x = check_uniforms(n * classes, -9, 9), *w = check_uniforms(classes, 0.1, 3);
        double label_sum = 0, all_sum = 0, divisor = 0, size = 0;
        double *want_grad = check_alloc_reals(TARN_F64, n * classes), *bound = check_alloc_reals(TARN_F64, n * classes);
        int32_t *labels = check_alloc(n * 4);
        for (int64_t i = 0; i < n; i++) {
            labels[i] = (int32_t)(check_random() % (uint64_t)classes);
            divisor += w[labels[i]];
        }
        for (int64_t i = 0; i < n; i++) {
            double sum = 0, whole = (1 - smoothing) * w[labels[i]];
            for (int64_t j = 0; j < classes; j++) {
                sum += exp(x[i * classes + j]), whole += smoothing / (double)classes * w[j];
            }
            for (int64_t j = 0; j < classes; j++) {
                const double p = exp(x[i * classes + j]) / sum, is_label = j == labels[i];
                const double target = (1 - smoothing) * w[j] * is_label + smoothing / (double)classes * w[j];
                label_sum -= w[j] * is_label * log(p), all_sum -= w[j] * log(p);
                size += target * (fabs(x[i * classes + j]) + fabs(log(sum)));
                want_grad[i * classes + j] = (p * whole - target) / divisor;
                bound[i * classes + j] = check_gamma(TARN_F32, 3) * (p * whole + target) / divisor;
            }
        }
        const double want = ((1 - smoothing) * label_sum + smoothing / (double)classes * all_sum) / divisor;
        CHECK_EACH(v, "cross_entropy_forward") {
            tarn_cross_entropy_args a = cross_entropy(v->dtype, n, classes, x, labels);
            a.smoothing = smoothing, a.class_weights = w;
            check_runs(v, &a, CHECK_SINGLE);
            const double loss = *(double *)a.loss;
            CHECK(check_near(TARN_F64, loss, want,
                    check_gamma(TARN_F64, (double)(2 * n + 5 * classes + 30)) * (size / divisor + 1)),
                    "loss %.17g, want %.17g", loss, want);
            backward(v->dtype, &a, CHECK_SINGLE);
            check_within("grad_logits", v->dtype, a.grad_logits, want_grad, bound, n * classes);
        }
        check_release();
    }
}

static void hinge_is_the_excess_over_the_margin(void) {
    static const int64_t shapes[][2] = {{1, 1}, {1, 2}, {3, 7}, {64, 10}, {997, 11}, {2, 5000}};
    for (int k = 0; k < 6; k++) {
        const int64_t n = shapes[k][0], classes = shapes[k][1];
        check_case("n=%lld classes=%lld", (long long)n, (long long)classes);
        double *x = check_uniforms(n * classes, -2, 2), want = 0;
        double *want_grad = memset(check_alloc_reals(TARN_F64, n * classes), 0, (size_t)(n * classes) * 8);
        double *bound = check_alloc_reals(TARN_F64, n * classes);
        int32_t *labels = check_alloc(n * 4);
        for (int64_t i = 0; i < n; i++) {
            labels[i] = (int32_t)(check_random() % (uint64_t)classes);
            for (int64_t j = 0; j < classes; j++) {
                const double excess = x[i * classes + j] - x[i * classes + labels[i]] + 1;
                if (j != labels[i] && excess > 0) {
                    want += excess / (double)n;
                    want_grad[i * classes + j] += 1 / (double)n;
                    want_grad[i * classes + labels[i]] -= 1 / (double)n;
                }
            }
        }
        for (int64_t i = 0; i < n * classes; i++) { /* in double, rounded once; here a sum of up to classes terms */
            bound[i] = (check_gamma(TARN_F32, 1) + check_gamma(TARN_F64, (double)classes)) * fabs(want_grad[i]);
        }
        CHECK_EACH(v, "hinge_forward") {
            double loss = 0;
            tarn_hinge_args a = {.n = n, .classes = classes, .scores = check_reals(v->dtype, x, n * classes),
                .labels = labels, .loss = &loss, .grad_scores = check_alloc_reals(v->dtype, n * classes)};
            check_runs(v, &a, CHECK_SINGLE);
            CHECK(check_near(TARN_F64, loss, want, check_gamma(TARN_F64, (double)(n * classes + 5)) * want),
                    "loss %.17g, want %.17g", loss, want);
            const double once = loss;
            check_runs(v, &a, CHECK_RANDOM);
            CHECK(loss == once, "another split, another loss");
            CHECK_EACH(gradient, "hinge_backward") {
                if (gradient->dtype == v->dtype) {
                    check_runs(gradient, &a, CHECK_SINGLE);
                    check_within("grad_scores", TARN_F64, check_doubles(v->dtype, a.grad_scores, n * classes),
                            want_grad, bound, n * classes);
                }
            }
            labels[n - 1] += (int32_t)classes;
            CHECK(check_run(v, &a, CHECK_WHOLE) == TARN_BAD_LABEL, "label %d", labels[n - 1]);
            labels[n - 1] -= (int32_t)classes;
        }
        check_release();
    }
}

static void mse_is_the_mean_of_squares(void) {
    static const int64_t shapes[][2] = {{1, 1}, {2, 7}, {3, 16384}, {5, 9999}, {7, 31}};
    for (int k = 0; k < 5; k++) {
        int64_t n = shapes[k][0], count = shapes[k][1], all = n * count;
        check_case("n=%lld count=%lld", (long long)n, (long long)count);
        double *x = check_uniforms(all, -2, 2), *target = check_uniforms(all, -2, 2), want = 0;
        double *want_grad = check_alloc_reals(TARN_F64, all), *bound = check_alloc_reals(TARN_F64, all);
        for (int64_t i = 0; i < all; i++) {
            want += (x[i] - target[i]) * (x[i] - target[i]) / (double)all;
            want_grad[i] = 2 * (x[i] - target[i]) / (double)all;
            bound[i] = check_gamma(TARN_F32, 1.001) * fabs(want_grad[i]); /* in double, rounded once */
        }
        CHECK_EACH(v, "mse_forward") {
            double loss = 0;
            tarn_mse_args a = {.n = n, .count = count, .input = check_reals(v->dtype, x, all),
                .target = check_reals(v->dtype, target, all), .loss = &loss,
                .grad_input = check_alloc_reals(v->dtype, all)};
            check_runs(v, &a, CHECK_SINGLE);
            CHECK(check_near(TARN_F64, loss, want, check_gamma(TARN_F64, (double)all + 5) * want), "%.17g, %.17g", loss,
                    want);
            double once = loss;
            check_runs(v, &a, CHECK_RANDOM);
            CHECK(loss == once, "another split, another loss");
            CHECK_EACH(gradient, "mse_backward") {
                if (gradient->dtype == v->dtype) {
                    check_runs(gradient, &a, CHECK_SINGLE);
                    check_within("grad_input", v->dtype, a.grad_input, want_grad, bound, all);
                }
            }
        }
        check_release();
    }
}

/* Examples [at, at + n) of a batch of 7 through both passes of a loss; returns the loss, puts gradients in their places. */
static double pass(int kind, int64_t at, int64_t n, double *divisor, float *scores, double *weights, int32_t *labels,
        float *grad) {
    enum { CLASSES = 5 };
    static const char *const ops[3][2] = {{"cross_entropy_forward", "cross_entropy_backward"},
        {"hinge_forward", "hinge_backward"}, {"mse_forward", "mse_backward"}};
    double loss = 0;
    float *x = scores + at * CLASSES, *g = grad + at * CLASSES;
    tarn_cross_entropy_args entropy = {.n = n, .classes = CLASSES, .smoothing = 0.1, .logits = x, .labels = labels + at,
        .class_weights = weights, .divisor = divisor, .loss = &loss, .grad_logits = g,
        .probabilities = check_alloc_reals(TARN_F32, n * CLASSES)};
    tarn_hinge_args hinge = {.n = n, .classes = CLASSES, .scores = x, .labels = labels + at, .divisor = divisor,
        .loss = &loss, .grad_scores = g};
    tarn_mse_args mse = {.n = n, .count = CLASSES, .input = x, .target = x + 7 * CLASSES, .divisor = divisor, .loss = &loss,
        .grad_input = g};
    void *args[3] = {&entropy, &hinge, &mse};
    for (int direction = 0; direction < 2; direction++) {
        CHECK_EACH(v, ops[kind][direction]) {
            if (v->dtype == TARN_F32) {
                check_runs(v, args[kind], CHECK_SINGLE);
            }
        }
    }
    return loss;
}

static void parts_of_a_batch_add_up_to_it(void) {
    enum { N = 7, FIRST = 3, COUNT = N * 5 };
    int32_t labels[N] = {4, 0, 2, 2, 1, 4, 3};
    double *x = check_uniforms(2 * COUNT, -3, 3), *weights = check_uniforms(5, 0.1, 3), examples = N, weight = 0;
    for (int i = 0; i < N; i++) {
        weight += weights[labels[i]];
    }
    for (int kind = 0; kind < 3; kind++) {
        check_case("loss %d", kind);
        float *scores = check_reals(TARN_F32, x, 2 * COUNT), *grad = check_alloc_reals(TARN_F32, COUNT);
        float *want = check_alloc_reals(TARN_F32, COUNT);
        double *divisor = kind == 0 ? &weight : &examples;
        const double whole = pass(kind, 0, N, NULL, scores, weights, labels, want);
        const double sum = pass(kind, 0, FIRST, divisor, scores, weights, labels, grad)
            + pass(kind, FIRST, N - FIRST, divisor, scores, weights, labels, grad);
        CHECK(check_near(TARN_F64, sum, whole, check_gamma(TARN_F64, COUNT) * whole), "%.17g, %.17g", sum, whole);
        CHECK(memcmp(grad, want, COUNT * sizeof(float)) == 0, "gradients are those in the whole batch, to the bit");
    }
    check_release();
}

static void nonsense_is_refused(void) {
    float x[2];
    static const char *const entropy[] = {"cross_entropy_forward", "cross_entropy_backward"};
    static const char *const hinges[] = {"hinge_forward", "hinge_backward"};
    static const char *const squares[] = {"mse_forward", "mse_backward"};
#define REFUSED(change) a = good, change, CHECK(check_plan(v, &a) == TARN_BAD_ARGUMENT, #change)
    for (int k = 0; k < 2; k++) {
        CHECK_EACH(v, entropy[k]) {
            tarn_cross_entropy_args good = {.n = 2, .classes = 3, .logits = x, .labels = x, .probabilities = x,
                    .loss = x,
                .grad_logits = x}, a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
            REFUSED(a.n = -1);
            REFUSED(a.classes = 0);
            REFUSED(a.classes = INT64_MAX);
            REFUSED(a.smoothing = -0.1);
            REFUSED(a.smoothing = NAN);
            REFUSED(a.labels = NULL);
            REFUSED(a.probabilities = NULL);
            a = good, a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
        CHECK_EACH(v, hinges[k]) {
            tarn_hinge_args good = {.n = 2, .classes = 3, .scores = x, .labels = x, .loss = x, .grad_scores = x}, a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
            REFUSED(a.n = -1);
            REFUSED(a.classes = 0);
            REFUSED(a.classes = INT64_MAX);
            REFUSED(a.labels = NULL);
            REFUSED((a.loss = a.grad_scores = NULL));
            a = good, a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
        CHECK_EACH(v, squares[k]) {
            tarn_mse_args good = {.n = 2, .count = 3, .input = x, .target = x, .loss = x, .grad_input = x}, a;
            CHECK(check_plan(v, &good) == TARN_OK, "good arguments");
            REFUSED(a.n = -1);
            REFUSED(a.count = 0);
            REFUSED(a.count = INT64_MAX);
            REFUSED(a.target = NULL);
            REFUSED((a.loss = a.grad_input = NULL));
            a = good, a.n = 0;
            CHECK(check_runs(v, &a, CHECK_WHOLE), "an empty batch");
        }
    }
}

CHECK_MAIN({"cross_entropy_agrees_with_the_definition_and_its_gradient_with_probabilities",
               cross_entropy_agrees_with_the_definition_and_its_gradient_with_probabilities},
        {"uniform_logits_give_the_logarithm_of_classes_and_a_shift_changes_nothing",
                uniform_logits_give_the_logarithm_of_classes_and_a_shift_changes_nothing},
        {"a_label_out_of_range_is_reported", a_label_out_of_range_is_reported},
        {"cross_entropy_gradient_equals_finite_differences", cross_entropy_gradient_equals_finite_differences},
        {"classes_have_weights", classes_have_weights},
        {"hinge_is_the_excess_over_the_margin", hinge_is_the_excess_over_the_margin},
        {"mse_is_the_mean_of_squares", mse_is_the_mean_of_squares},
        {"parts_of_a_batch_add_up_to_it", parts_of_a_batch_add_up_to_it}, {"nonsense_is_refused", nonsense_is_refused})
