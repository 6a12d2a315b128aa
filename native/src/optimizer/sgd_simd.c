/* SGD with vectors, one pass over the memory; same bits as the reference. */
#include "optimizer/sgd.h"
#include "simd/vec.h"

/* Updates n <= LANES parameters at i. */
static inline void update(
        const tarn_sgd_args *a, vec rate, vec momentum, vec weight_decay, int64_t i, int64_t n) {
    float *param = (float *)a->param + i, *grad = (float *)a->grad + i;
    vec p = vec_load_upto(param, n), d = vec_add(vec_load_upto(grad, n), vec_mul(weight_decay, p));
    if (a->momentum != 0) {
        float *velocity = (float *)a->velocity + i;
        vec v = vec_add(vec_mul(momentum, vec_load_upto(velocity, n)), d);
        vec_store_upto(velocity, v, n);
        d = a->nesterov ? vec_add(d, vec_mul(momentum, v)) : v;
    }
    vec_store_upto(param, vec_sub(p, vec_mul(rate, d)), n);
    vec_store_upto(grad, vec_zero(), n);
}

static int32_t sgd_update(const void *args, int64_t begin, int64_t end) {
    const tarn_sgd_args *a = args;
    vec rate = vec_set1((float)*(const double *)a->rate), momentum = vec_set1((float)a->momentum);
    vec weight_decay = vec_set1((float)a->weight_decay);
    int64_t i = begin * SGD_TASK, stop = tarn_min(a->count, end * SGD_TASK);
    for (; i + LANES <= stop; i += LANES) {
        update(a, rate, momentum, weight_decay, i, LANES);
    }
    if (i < stop) {
        update(a, rate, momentum, weight_decay, i, stop - i);
    }
    return TARN_OK;
}
VARIANT(sgd_update, sgd, plan_sgd, sgd_update);
