/* Softmax and cross-entropy in one, computed in double: beside the layers before it that costs nothing. */
#include <math.h>

#include "kernel.h"

/* Logits in one task; an example is never cut. */
#define LOSS_TASK ((int64_t)1 << 12)

static inline int64_t examples_per_task(int64_t classes) { return tarn_max(1, LOSS_TASK / classes); }

static inline int cross_entropy_is_valid(const tarn_cross_entropy_args *a) {
    return TARN_PRODUCT(a->n, a->classes) >= 0 && TARN_PRODUCT(a->classes) >= 1 && a->smoothing >= 0
        && a->smoothing <= 1 && a->labels && a->probabilities;
}

static int32_t plan_cross_entropy_forward(const void *args, tarn_plan *plan) {
    const tarn_cross_entropy_args *a = args;
    if (!cross_entropy_is_valid(a) || !a->logits || !a->loss) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){.tasks = {tarn_ceil_div(a->n, examples_per_task(a->classes)), a->n > 0},
        .shared = a->n * (int64_t)sizeof(double)};
    return TARN_OK;
}

static int32_t plan_cross_entropy_backward(const void *args, tarn_plan *plan) {
    const tarn_cross_entropy_args *a = args;
    if (!cross_entropy_is_valid(a) || !a->grad_logits) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, tarn_ceil_div(a->n, examples_per_task(a->classes)));
}

/*
 * Phase 0: probabilities, and each example's loss
 *     log(sum_k exp(x_k)) - (1 - smoothing) * x_label - smoothing * mean(x)
 * with the largest logit m taken out of every term, so that exp cannot overflow and a shift of all logits changes
 * nothing.
 */
static int32_t example_losses(const void *args, int64_t begin, int64_t end) {
    const tarn_cross_entropy_args *a = args;
    int64_t classes = a->classes, per_task = examples_per_task(classes);
    for (int64_t i = begin * per_task; i < tarn_min(a->n, end * per_task); i++) {
        const real *x = (const real *)a->logits + i * classes;
        real *probabilities = (real *)a->probabilities + i * classes;
        int64_t label = ((const int32_t *)a->labels)[i];
        if (label < 0 || label >= classes) {
            return TARN_BAD_LABEL;
        }
        double m = x[0], sum = 0, mean = 0;
        for (int64_t k = 1; k < classes; k++) {
            m = x[k] > m ? x[k] : m;
        }
        for (int64_t k = 0; k < classes; k++) {
            sum += exp(x[k] - m);
        }
        for (int64_t k = 0; k < classes; k++) {
            probabilities[k] = (real)(exp(x[k] - m) / sum);
        }
        double loss = log(sum) - (1 - a->smoothing) * (x[label] - m);
        if (a->smoothing > 0) {
            for (int64_t k = 0; k < classes; k++) {
                mean += (x[k] - m) / (double)classes;
            }
            loss -= a->smoothing * mean;
        }
        ((double *)a->shared)[i] = loss;
    }
    return TARN_OK;
}

/* Phase 1: loss = mean over the examples, in their order */
static int32_t mean_loss(const void *args, int64_t begin, int64_t end) {
    const tarn_cross_entropy_args *a = args;
    double sum = 0;
    for (int64_t i = 0; begin < end && i < a->n; i++) {
        sum += ((const double *)a->shared)[i];
    }
    *(double *)a->loss = sum / (double)a->n;
    return TARN_OK;
}
VARIANT(cross_entropy_forward, cross_entropy, plan_cross_entropy_forward, example_losses, mean_loss);

/* grad_logits = (probabilities - target) / n */
static int32_t cross_entropy_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_cross_entropy_args *a = args;
    int64_t classes = a->classes, per_task = examples_per_task(classes);
    double n = (double)a->n, everywhere = a->smoothing / (double)classes;
    for (int64_t i = begin * per_task; i < tarn_min(a->n, end * per_task); i++) {
        const real *probabilities = (const real *)a->probabilities + i * classes;
        int64_t label = ((const int32_t *)a->labels)[i];
        if (label < 0 || label >= classes) {
            return TARN_BAD_LABEL;
        }
        for (int64_t k = 0; k < classes; k++) {
            double target = everywhere + (k == label ? 1 - a->smoothing : 0);
            ((real *)a->grad_logits)[i * classes + k] = (real)((probabilities[k] - target) / n);
        }
    }
    return TARN_OK;
}
VARIANT(cross_entropy_backward, cross_entropy, plan_cross_entropy_backward, cross_entropy_backward);
