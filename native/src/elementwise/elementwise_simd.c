/* Activations and add with vectors; same results to the bit as the reference. */
#include "elementwise/elementwise.h"
#include "simd/vec.h"

static int32_t activation_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const float *x = a->a;
    float *y = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec_store(y + i, vec_activate(a->activation, vec_load(x + i)));
    }
    if (i < stop) {
        vec_store_n(y + i, vec_activate(a->activation, vec_load_n(x + i, stop - i)), stop - i);
    }
    return TARN_OK;
}
VARIANT(activation_forward, elementwise, plan_unary, activation_forward);

static int32_t activation_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const float *y = a->a, *grad_output = a->b;
    float *grad_input = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec_store(grad_input + i, vec_masked(a->activation, vec_load(y + i), vec_load(grad_output + i)));
    }
    if (i < stop) {
        int64_t n = stop - i;
        vec_store_n(grad_input + i, vec_masked(a->activation, vec_load_n(y + i, n), vec_load_n(grad_output + i, n)), n);
    }
    return TARN_OK;
}
VARIANT(activation_backward, elementwise, plan_binary, activation_backward);

static int32_t add(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const float *x = a->a, *y = a->b;
    float *sum = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec s = vec_add(vec_load(x + i), vec_load(y + i));
        vec_store(sum + i, vec_activate(a->activation, s));
    }
    if (i < stop) {
        int64_t n = stop - i;
        vec s = vec_add(vec_load_n(x + i, n), vec_load_n(y + i, n));
        vec_store_n(sum + i, vec_activate(a->activation, s), n);
    }
    return TARN_OK;
}
VARIANT(add, elementwise, plan_binary, add);
