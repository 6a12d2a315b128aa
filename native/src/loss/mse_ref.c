/* Mean squared error: loss = mean of (input - target)^2 over all elements. */
#include "loss/examples.h"

#define MSE_TASK ((int64_t)1 << 14)

static inline int mse_is_valid(const tarn_mse_args *a) {
    return TARN_PRODUCT(a->n, a->count) >= 0 && TARN_PRODUCT(a->count) >= 1 && a->input && a->target;
}

static int32_t plan_mse_forward(const void *args, tarn_plan *plan) {
    const tarn_mse_args *a = args;
    if (!mse_is_valid(a) || !a->loss) {
        return TARN_BAD_ARGUMENT;
    }
    int64_t blocks = tarn_ceil_div(a->n * a->count, MSE_TASK);
    *plan = (tarn_plan){.tasks = {blocks, blocks > 0}, .shared = blocks * (int64_t)sizeof(double)};
    return TARN_OK;
}

static int32_t plan_mse_backward(const void *args, tarn_plan *plan) {
    const tarn_mse_args *a = args;
    if (!mse_is_valid(a) || !a->grad_input) {
        return TARN_BAD_ARGUMENT;
    }
    return tarn_plan_tasks(plan, tarn_ceil_div(a->n * a->count, MSE_TASK));
}

/* Phase 0: the sum of each block, in double. */
static int32_t block_losses(const void *args, int64_t begin, int64_t end) {
    const tarn_mse_args *a = args;
    const real *x = a->input, *target = a->target;
    for (int64_t block = begin; block < end; block++) {
        double sum = 0;
        for (int64_t i = block * MSE_TASK; i < tarn_min(a->n * a->count, (block + 1) * MSE_TASK); i++) {
            double difference = (double)x[i] - target[i];
            sum += difference * difference;
        }
        ((double *)a->shared)[block] = sum;
    }
    return TARN_OK;
}

/* Phase 1: the mean, blocks in order */
static int32_t mean_loss(const void *args, int64_t begin, int64_t end) {
    const tarn_mse_args *a = args;
    double sum = 0;
    for (int64_t block = 0; begin < end && block < tarn_ceil_div(a->n * a->count, MSE_TASK); block++) {
        sum += ((const double *)a->shared)[block];
    }
    *(double *)a->loss = sum / (mean_divisor(a->divisor, (double)a->n) * (double)a->count);
    return TARN_OK;
}
VARIANT(mse_forward, mse, plan_mse_forward, block_losses, mean_loss);

/* grad_input = 2 * (input - target) / elements */
static int32_t mse_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_mse_args *a = args;
    const real *x = a->input, *target = a->target;
    const double elements = mean_divisor(a->divisor, (double)a->n) * (double)a->count;
    for (int64_t i = begin * MSE_TASK; i < tarn_min(a->n * a->count, end * MSE_TASK); i++) {
        ((real *)a->grad_input)[i] = (real)(2 * ((double)x[i] - target[i]) / elements);
    }
    return TARN_OK;
}
VARIANT(mse_backward, mse, plan_mse_backward, mse_backward);
