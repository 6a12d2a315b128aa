/* Stochastic gradient descent with momentum, Nesterov momentum and weight decay, defined. */
#include "optimizer/sgd.h"

static int32_t sgd_update(const void *args, int64_t begin, int64_t end) {
    const tarn_sgd_args *a = args;
    real *param = a->param, *grad = a->grad, *velocity = a->velocity;
    real rate = (real) * (const double *)a->rate, momentum = (real)a->momentum, weight_decay = (real)a->weight_decay;
    for (int64_t i = begin * SGD_TASK; i < tarn_min(a->count, end * SGD_TASK); i++) {
        real d = grad[i] + weight_decay * param[i];
        if (a->momentum != 0) {
            velocity[i] = momentum * velocity[i] + d;
            d = a->nesterov ? d + momentum * velocity[i] : velocity[i];
        }
        param[i] = param[i] - rate * d;
        grad[i] = 0;
    }
    return TARN_OK;
}
VARIANT(sgd_update, sgd, plan_sgd, sgd_update);
