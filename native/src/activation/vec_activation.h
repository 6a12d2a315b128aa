/* Activations of vectors. */
#ifndef TARN_VEC_ACTIVATION_H
#define TARN_VEC_ACTIVATION_H

#include "activation/activation.h"
#include "simd/vec_math.h"

/* Those but ReLU and ReLU6; a call, so that loops over ReLU stay small. */
static __attribute__((noinline, unused)) vec vec_activate_smoothly(activation f, vec x) {
    const vec alpha = vec_set1(f.alpha);
    switch (f.kind) {
        case TARN_LEAKY_RELU: return vec_where_positive(x, x, vec_mul(alpha, x));
        case TARN_SIGMOID: return vec_sigmoid(x);
        case TARN_TANH: return vec_tanh(x);
        case TARN_ELU: return vec_where_positive(x, x, vec_mul(alpha, vec_expm1(vec_min(vec_zero(), x))));
        case TARN_SELU: {
            const vec below = vec_mul(vec_set1((float)(SELU_SCALE * SELU_ALPHA)), vec_expm1(vec_min(vec_zero(), x)));
            return vec_where_positive(x, vec_mul(vec_set1((float)SELU_SCALE), x), below);
        }
        case TARN_SCALE: return vec_mul(alpha, x);
        default: /* TARN_SWISH: one division, and no product of zero and infinity where x is finite */
            return vec_div(x, vec_add(vec_set1(1), vec_exp(vec_mul(vec_set1(-f.alpha), x))));
    }
}

/* The same for sums in registers, which the caller copies to memory: one call for all of them. */
static __attribute__((noinline, unused)) void vec_activate_each(activation f, vec *x, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        x[i] = vec_activate_smoothly(f, x[i]);
    }
}

static inline vec vec_activate(activation f, vec x) {
    if (f.kind > TARN_RELU6) {
        return vec_activate_smoothly(f, x);
    }
    x = f.kind != TARN_IDENTITY ? vec_relu(x) : x;
    return f.kind == TARN_RELU6 ? vec_min6(x) : x;
}

/* s(alpha x) of Swish, and its derivative s (1 + alpha x (1 - s)) */
static inline vec vec_swish_slope(vec s, vec alpha, vec x) {
    const vec rest = vec_sub(vec_set1(1), s);
    return vec_mul(s, vec_fma(vec_mul(alpha, x), rest, vec_set1(1)));
}

/* The gradient of what y came from, of Swish of y, where g is that of the result; y is not read for the identity. */
static inline vec vec_activation_gradient(activation f, vec y, vec g) {
    const vec one = vec_set1(1), alpha = vec_set1(f.alpha);
    switch (f.kind) {
        case TARN_RELU: return vec_where_above(y, 0, g);
        case TARN_RELU6: return vec_where_below(y, 6, vec_where_above(y, 0, g));
        case TARN_LEAKY_RELU: return vec_where_positive(y, g, vec_mul(alpha, g));
        case TARN_SIGMOID: return vec_mul(vec_mul(y, vec_sub(one, y)), g);
        case TARN_TANH: return vec_mul(vec_sub(one, vec_mul(y, y)), g);
        case TARN_ELU: return vec_where_positive(y, g, vec_mul(vec_add(y, alpha), g));
        case TARN_SELU: {
            const vec below = vec_add(y, vec_set1((float)(SELU_SCALE * SELU_ALPHA)));
            return vec_mul(vec_where_positive(y, vec_set1((float)SELU_SCALE), below), g);
        }
        case TARN_SWISH: return vec_mul(vec_swish_slope(vec_sigmoid(vec_mul(alpha, y)), alpha, y), g);
        case TARN_SCALE: return vec_mul(alpha, g);
        default: return g;
    }
}

#endif
