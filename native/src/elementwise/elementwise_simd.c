/* Activations and add with vectors; what needs no exponential has the bits of the reference. */
#include "activation/vec_activation.h"
#include "elementwise/elementwise.h"
#include "simd/vec_element.h"

static int32_t activation_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const activation f = ACTIVATION_OF(a);
    const element *x = a->a;
    element *y = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec_put(y + i, vec_activate(f, vec_get(x + i, LANES)), LANES);
    }
    if (i < stop) {
        vec_put(y + i, vec_activate(f, vec_get(x + i, stop - i)), stop - i);
    }
    return TARN_OK;
}
VARIANT(activation_forward, elementwise, plan_unary, activation_forward);

static int32_t add(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const activation f = ACTIVATION_OF(a);
    const element *x = a->a, *y = a->b;
    element *sum = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec s = vec_add(vec_get(x + i, LANES), vec_get(y + i, LANES));
        vec_put(sum + i, vec_activate(f, s), LANES);
    }
    if (i < stop) {
        int64_t n = stop - i;
        vec_put(sum + i, vec_activate(f, vec_add(vec_get(x + i, n), vec_get(y + i, n))), n);
    }
    return TARN_OK;
}
VARIANT(add, elementwise, plan_binary, add);

#if defined(TARN_BUILD_BF16)
static int32_t convert_from_f32(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const float *x = a->a;
    element *y = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec_put(y + i, vec_load(x + i), LANES);
    }
    if (i < stop) {
        vec_put(y + i, vec_load_n(x + i, stop - i), stop - i);
    }
    return TARN_OK;
}
VARIANT(convert_from_f32, elementwise, plan_unary, convert_from_f32);

static int32_t convert_to_f32(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const element *x = a->a;
    float *y = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec_store(y + i, vec_get(x + i, LANES));
    }
    if (i < stop) {
        vec_store_n(y + i, vec_get(x + i, stop - i), stop - i);
    }
    return TARN_OK;
}
VARIANT(convert_to_f32, elementwise, plan_unary, convert_to_f32);

#else
static int32_t activation_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const activation f = ACTIVATION_OF(a);
    const float *y = a->a, *grad_output = a->b;
    float *grad_input = a->out;
    int64_t i, stop;
    elementwise_range(a, begin, end, &i, &stop);
    for (; i + LANES <= stop; i += LANES) {
        vec_store(grad_input + i, vec_activation_gradient(f, vec_load(y + i), vec_load(grad_output + i)));
    }
    if (i < stop) {
        int64_t n = stop - i;
        vec_store_n(grad_input + i, vec_activation_gradient(f, vec_load_n(y + i, n), vec_load_n(grad_output + i, n)), n);
    }
    return TARN_OK;
}
VARIANT(activation_backward, elementwise, plan_binary, activation_backward);
#endif
