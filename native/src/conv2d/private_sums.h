/*
 * Gradient of the weights from private sums: `shared` holds one copy of grad_weight for each chunk of the pixels, which
 * the last phase adds up, first to last.
 */
#ifndef TARN_PRIVATE_SUMS_H
#define TARN_PRIVATE_SUMS_H

#include "cpu/blocks.h"
#include "simd/vec.h"

static inline int64_t conv2d_weights(const tarn_conv2d_args *a) { return a->kh * a->kw * (a->ic / a->groups) * a->oc; }

/* A task is a range of REDUCE_TASK elements of grad_weight, to which the sums are added. */
static inline void conv2d_reduce(const tarn_conv2d_args *a, int64_t chunks, int64_t begin, int64_t end) {
    const int64_t weights = conv2d_weights(a);
    const float *partial = a->shared;
    float *grad_weight = a->grad_weight;
    for (int64_t i = begin * REDUCE_TASK; i < tarn_min(end * REDUCE_TASK, weights); i += LANES) {
        const int64_t n = tarn_min(LANES, weights - i);
        vec sum = vec_load_upto(partial + i, n);
        for (int64_t chunk = 1; chunk < chunks; chunk++) {
            sum = vec_add(sum, vec_load_upto(partial + chunk * weights + i, n));
        }
        vec_store_upto(grad_weight + i, vec_add(vec_load_upto(grad_weight + i, n), sum), n);
    }
}

#endif
