/*
 * Softmax and cross-entropy in one, computed in double: beside the layers before it that costs nothing. With weights of
 * classes w, the target of class k is t[k] = ((1 - smoothing) * onehot[k] + smoothing / classes) * w[k], the loss
 *
 *     sum over examples and k of -t[k] * log(probability[k]), divided by the sum of w[label] over the examples,
 *
 * as libtorch combines them. Without weights that is the mean over the examples. A divisor stands for that sum where the
 * examples are a part of a batch.
 */
#include <math.h>

#include "loss/examples.h"

static inline int cross_entropy_is_valid(const tarn_cross_entropy_args *a) {
    return TARN_PRODUCT(a->n, a->classes) >= 0 && TARN_PRODUCT(a->classes) >= 1 && a->smoothing >= 0
        && a->smoothing <= 1 && a->labels && a->probabilities;
}

static int32_t plan_cross_entropy_forward(const void *args, tarn_plan *plan) {
    const tarn_cross_entropy_args *a = args;
    if (!cross_entropy_is_valid(a) || !a->logits || !a->loss) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){
        .tasks = {examples_tasks(a->n, a->classes), a->n > 0}, .shared = a->n * (int64_t)sizeof(double)};
    return TARN_OK;
}

static int32_t plan_cross_entropy_backward(const void *args, tarn_plan *plan) {
    const tarn_cross_entropy_args *a = args;
    if (!cross_entropy_is_valid(a) || !a->grad_logits) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){.tasks = {a->n > 0, examples_tasks(a->n, a->classes)}, .shared = sizeof(double)};
    return TARN_OK;
}

static inline double class_weight(const tarn_cross_entropy_args *a, int64_t k) {
    return a->class_weights ? ((const double *)a->class_weights)[k] : 1;
}

/* t[k] of an example with that label */
static inline double target_of(const tarn_cross_entropy_args *a, int64_t k, int64_t label) {
    const double share = a->smoothing / (double)a->classes + (k == label ? 1 - a->smoothing : 0);
    return share * class_weight(a, k);
}

/* The sum of t over all classes: 1 without weights. */
static double whole_target(const tarn_cross_entropy_args *a, int64_t label) {
    double sum = 0;
    for (int64_t k = 0; a->class_weights && k < a->classes; k++) {
        sum += target_of(a, k, label);
    }
    return a->class_weights ? sum : 1;
}

/* The divisor, or else the sum of the labels' weights; a label out of range counts for nothing and is reported elsewhere. */
static double labels_weight(const tarn_cross_entropy_args *a) {
    double sum = 0;
    for (int64_t i = 0; a->class_weights && i < a->n; i++) {
        const int64_t label = ((const int32_t *)a->labels)[i];
        sum += label >= 0 && label < a->classes ? class_weight(a, label) : 0;
    }
    return mean_divisor(a->divisor, a->class_weights ? sum : (double)a->n);
}

/*
 * Phase 0: probabilities, and each example's loss
 *     sum(t) * log(sum_k exp(x_k)) - sum_k t_k * x_k
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
        double m = x[0], sum = 0, spread = 0;
        for (int64_t k = 1; k < classes; k++) {
            m = x[k] > m ? x[k] : m;
        }
        for (int64_t k = 0; k < classes; k++) {
            sum += exp(x[k] - m);
        }
        for (int64_t k = 0; k < classes; k++) {
            probabilities[k] = (real)(exp(x[k] - m) / sum);
        }
        double loss = whole_target(a, label) * log(sum) - (1 - a->smoothing) * class_weight(a, label) * (x[label] - m);
        if (a->smoothing > 0) {
            for (int64_t k = 0; k < classes; k++) {
                spread += class_weight(a, k) * (x[k] - m) / (double)classes;
            }
            loss -= a->smoothing * spread;
        }
        ((double *)a->shared)[i] = loss;
    }
    return TARN_OK;
}

/* Phase 1: loss = mean over the examples, in their order */
static int32_t mean_loss(const void *args, int64_t begin, int64_t end) {
    const tarn_cross_entropy_args *a = args;
    if (begin < end) {
        *(double *)a->loss = examples_sum(a->shared, a->n) / labels_weight(a);
    }
    return TARN_OK;
}
VARIANT(cross_entropy_forward, cross_entropy, plan_cross_entropy_forward, example_losses, mean_loss);

/* Phase 0: the divisor of all gradients */
static int32_t leave_labels_weight(const void *args, int64_t begin, int64_t end) {
    const tarn_cross_entropy_args *a = args;
    if (begin < end) {
        *(double *)a->shared = labels_weight(a);
    }
    return TARN_OK;
}

/* Phase 1: grad_logits = (probabilities * sum(t) - t) / sum of the labels' weights */
static int32_t example_gradients(const void *args, int64_t begin, int64_t end) {
    const tarn_cross_entropy_args *a = args;
    int64_t classes = a->classes, per_task = examples_per_task(classes);
    const double weights = *(const double *)a->shared;
    for (int64_t i = begin * per_task; i < tarn_min(a->n, end * per_task); i++) {
        const real *probabilities = (const real *)a->probabilities + i * classes;
        int64_t label = ((const int32_t *)a->labels)[i];
        if (label < 0 || label >= classes) {
            return TARN_BAD_LABEL;
        }
        const double whole = whole_target(a, label);
        for (int64_t k = 0; k < classes; k++) {
            const double g = (probabilities[k] * whole - target_of(a, k, label)) / weights;
            ((real *)a->grad_logits)[i * classes + k] = (real)g;
        }
    }
    return TARN_OK;
}
VARIANT(cross_entropy_backward, cross_entropy, plan_cross_entropy_backward, leave_labels_weight, example_gradients);
