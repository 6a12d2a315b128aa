/* Activations with a learned alpha, defined. */
#include "activation/parametric.h"

static int32_t parametric_forward(const void *args, int64_t begin, int64_t end) {
    const tarn_parametric_args *a = args;
    const real *x = a->input;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, parametric_rows(a), a->c, &first, &stop);
        for (int64_t i = first * a->c; i < stop * a->c; i++) {
            ((real *)a->output)[i] = activate((activation){a->activation, parametric_alpha(a, i % a->c)}, x[i]);
        }
    }
    return TARN_OK;
}
VARIANT(parametric_forward, parametric, plan_parametric_forward, parametric_forward);

/* The derivative of the result with respect to alpha. */
static double alpha_slope(activation f, real x) {
    if (f.kind == TARN_LEAKY_RELU) {
        return x > 0 ? 0 : x;
    }
    const double s = swish_sigmoid(f, x);
    return (double)x * x * s * (1 - s);
}

/* PReLU's gradient looks at x, for with a negative alpha the result does not tell the side. */
static int32_t parametric_backward(const void *args, int64_t begin, int64_t end) {
    const tarn_parametric_args *a = args;
    const real *x = a->input, *grad_output = a->grad_output;
    for (int64_t block = begin; block < end; block++) {
        int64_t first, stop;
        rows_range(block, parametric_rows(a), a->c, &first, &stop);
        for (int64_t c = 0; c < a->c; c++) {
            const activation f = {a->activation, parametric_alpha(a, c)};
            double sum = 0;
            for (int64_t r = first; r < stop; r++) {
                const int64_t i = r * a->c + c;
                const real g = grad_output[i];
                sum += alpha_slope(f, x[i]) * g;
                ((real *)a->grad_input)[i] = activation_gradient(f, x[i], g);
            }
            parametric_partial(a, block)[c] = sum;
        }
    }
    return TARN_OK;
}
VARIANT(parametric_backward, parametric, plan_parametric_backward, parametric_backward, parametric_combine);
