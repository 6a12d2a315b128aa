/* Activations, add and zeros, defined. */
#include "elementwise/elementwise.h"

static int32_t activation_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const element *x = a->a;
    element *y = a->out;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        tarn_set(y, i, activate(ACTIVATION_OF(a), tarn_get(x, i)));
    }
    return TARN_OK;
}
VARIANT(activation_forward, elementwise, plan_unary, activation_forward);

/* Gradient of both operands is grad_output itself, so add has no backward kernel. */
static int32_t add(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const element *x = a->a, *y = a->b;
    element *sum = a->out;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        tarn_set(sum, i, activate(ACTIVATION_OF(a), tarn_get(x, i) + tarn_get(y, i)));
    }
    return TARN_OK;
}
VARIANT(add, elementwise, plan_binary, add);

#if defined(TARN_BUILD_BF16)
/* a in F32, out in BF16. */
static int32_t convert_from_f32(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const float *x = a->a;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        tarn_set(a->out, i, x[i]);
    }
    return TARN_OK;
}
VARIANT(convert_from_f32, elementwise, plan_unary, convert_from_f32);

/* a in BF16, out in F32. */
static int32_t convert_to_f32(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    float *y = a->out;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        y[i] = tarn_get(a->a, i);
    }
    return TARN_OK;
}
VARIANT(convert_to_f32, elementwise, plan_unary, convert_to_f32);

#else
static int32_t activation_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const real *y = a->a, *grad_output = a->b;
    real *grad_input = a->out;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        grad_input[i] = activation_gradient(ACTIVATION_OF(a), y[i], grad_output[i]);
    }
    return TARN_OK;
}
VARIANT(activation_backward, elementwise, plan_binary, activation_backward);

/* Zeros, what gradients that accumulate start from. */
static int32_t plan_clear(const void *args, tarn_plan *plan) {
    tarn_elementwise_args a = *(const tarn_elementwise_args *)args;
    a.a = a.out;
    return plan_unary(&a, plan);
}

static int32_t clear(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        ((real *)a->out)[i] = 0;
    }
    return TARN_OK;
}
VARIANT(clear, elementwise, plan_clear, clear);
#endif
