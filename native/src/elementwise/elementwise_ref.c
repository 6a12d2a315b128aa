/* Activations and add, defined. */
#include "elementwise/elementwise.h"

static int32_t activation_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const real *x = a->a;
    real *y = a->out;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        y[i] = tarn_activate(a->activation, x[i]);
    }
    return TARN_OK;
}
VARIANT(activation_forward, elementwise, plan_unary, activation_forward);

/* grad_input = grad_output where it passes, else 0 */
static int32_t activation_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const real *y = a->a, *grad_output = a->b;
    real *grad_input = a->out;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        grad_input[i] = tarn_passes(a->activation, y[i]) ? grad_output[i] : 0;
    }
    return TARN_OK;
}
VARIANT(activation_backward, elementwise, plan_binary, activation_backward);

/* Gradient of both operands is grad_output itself, so add has no backward kernel. */
static int32_t add(const void *args, int64_t begin, int64_t end) {
    const tarn_elementwise_args *a = args;
    const real *x = a->a, *y = a->b;
    real *sum = a->out;
    int64_t i, stop;
    for (elementwise_range(a, begin, end, &i, &stop); i < stop; i++) {
        sum[i] = tarn_activate(a->activation, x[i] + y[i]);
    }
    return TARN_OK;
}
VARIANT(add, elementwise, plan_binary, add);
