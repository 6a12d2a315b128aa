/*
 * Multiclass hinge loss, all classes against the label. J. Weston and C. Watkins, "Support vector machines for
 * multi-class pattern recognition" (1999). Scores have a scale of their own, so the margin is 1.
 */
#include "loss/examples.h"

static inline int hinge_is_valid(const tarn_hinge_args *a) {
    return TARN_PRODUCT(a->n, a->classes) >= 0 && TARN_PRODUCT(a->classes) >= 1 && a->scores && a->labels;
}

static int32_t plan_hinge_forward(const void *args, tarn_plan *plan) {
    const tarn_hinge_args *a = args;
    if (!hinge_is_valid(a) || !a->loss) {
        return TARN_BAD_ARGUMENT;
    }
    *plan = (tarn_plan){
        .tasks = {examples_tasks(a->n, a->classes), a->n > 0}, .shared = a->n * (int64_t)sizeof(double)};
    return TARN_OK;
}

static int32_t plan_hinge_backward(const void *args, tarn_plan *plan) {
    const tarn_hinge_args *a = args;
    if (!hinge_is_valid(a) || !a->grad_scores) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, examples_tasks(a->n, a->classes));
}

/* By how much a class comes too near to the label. */
static inline double hinge_excess(const real *scores, int64_t k, int64_t label) {
    const double excess = (double)scores[k] - scores[label] + 1;
    return k == label || excess < 0 ? 0 : excess; /* a NaN stays */
}

/* Phase 0: each example's loss */
static int32_t example_losses(const void *args, int64_t begin, int64_t end) {
    const tarn_hinge_args *a = args;
    const int64_t classes = a->classes, per_task = examples_per_task(classes);
    for (int64_t i = begin * per_task; i < tarn_min(a->n, end * per_task); i++) {
        const real *scores = (const real *)a->scores + i * classes;
        const int64_t label = ((const int32_t *)a->labels)[i];
        if (label < 0 || label >= classes) {
            return TARN_BAD_LABEL;
        }
        double loss = 0;
        for (int64_t k = 0; k < classes; k++) {
            loss += hinge_excess(scores, k, label);
        }
        ((double *)a->shared)[i] = loss;
    }
    return TARN_OK;
}

/* Phase 1: loss = mean over the examples */
static int32_t mean_loss(const void *args, int64_t begin, int64_t end) {
    const tarn_hinge_args *a = args;
    if (begin < end) {
        *(double *)a->loss = examples_sum(a->shared, a->n) / mean_divisor(a->divisor, (double)a->n);
    }
    return TARN_OK;
}
VARIANT(hinge_forward, hinge, plan_hinge_forward, example_losses, mean_loss);

/* grad_scores = (1 for each class that comes too near, minus their number for the label) / n */
static int32_t hinge_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_hinge_args *a = args;
    const int64_t classes = a->classes, per_task = examples_per_task(classes);
    const double divisor = mean_divisor(a->divisor, (double)a->n);
    for (int64_t i = begin * per_task; i < tarn_min(a->n, end * per_task); i++) {
        const real *scores = (const real *)a->scores + i * classes;
        real *grad = (real *)a->grad_scores + i * classes;
        const int64_t label = ((const int32_t *)a->labels)[i];
        if (label < 0 || label >= classes) {
            return TARN_BAD_LABEL;
        }
        int64_t near = 0;
        for (int64_t k = 0; k < classes; k++) {
            const int64_t is_near = hinge_excess(scores, k, label) > 0;
            near += is_near;
            grad[k] = (real)((double)is_near / divisor);
        }
        grad[label] = (real)(-(double)near / divisor);
    }
    return TARN_OK;
}
VARIANT(hinge_backward, hinge, plan_hinge_backward, hinge_backward);
