/*
 * Activations, defined. The gradient of all but Swish is a function of their result, so that the result may overwrite
 * what it came from.
 */
#ifndef TARN_ACTIVATION_H
#define TARN_ACTIVATION_H

#include <math.h>

#include "kernel.h"

typedef struct {
    int64_t kind; /* enum tarn_activation */
    real alpha;
} activation;

/* The activation of an argument struct. */
#define ACTIVATION_OF(args) ((activation){(args)->activation, (real)(args)->alpha})
#define NO_ACTIVATION ((activation){TARN_IDENTITY, 0})

/* Of SELU (Klambauer and others, 2017): what keeps mean 0 and variance 1. */
#define SELU_ALPHA 1.6732632423543772848170429916717
#define SELU_SCALE 1.0507009873554804934193349852946

/* Whether kind and alpha are those of an activation. */
#define ACTIVATION_VALID(args) activation_valid((args)->activation, (args)->alpha)
static inline int activation_valid(int64_t kind, double alpha) {
    switch (kind) {
        case TARN_LEAKY_RELU: return alpha >= 0 && alpha < 1;
        case TARN_ELU: return alpha >= 0 && isfinite(alpha);
        case TARN_SWISH: case TARN_SCALE: return isfinite(alpha);
        default: return kind >= TARN_IDENTITY && kind <= TARN_SCALE;
    }
}
/* Whether the gradient passes or does not, so that a bit tells it. */
static inline int activation_passes_or_not(int64_t kind) { return kind <= TARN_RELU6; }

static inline real activate(activation f, real x) {
    switch (f.kind) {
        case TARN_RELU: return x < 0 ? 0 : x;
        case TARN_RELU6: return x < 0 ? 0 : x > 6 ? 6 : x;
        case TARN_LEAKY_RELU: return x > 0 ? x : f.alpha * x;
        case TARN_SIGMOID: return (real)(1 / (1 + exp(-(double)x)));
        case TARN_TANH: return (real)tanh(x);
        case TARN_ELU: return x > 0 ? x : (real)(f.alpha * expm1(x));
        case TARN_SELU: return (real)(SELU_SCALE * (x > 0 ? (double)x : SELU_ALPHA * expm1(x)));
        case TARN_SWISH: return (real)(x / (1 + exp(-(double)f.alpha * x)));
        case TARN_SCALE: return f.alpha * x;
        default: return x;
    }
}

/* s(x) = 1 / (1 + exp(-x)) at alpha x, and the derivative of Swish, s + alpha x s (1 - s). */
static inline double swish_sigmoid(activation f, real x) { return 1 / (1 + exp(-(double)f.alpha * x)); }
static inline double swish_slope(activation f, real x) {
    const double s = swish_sigmoid(f, x);
    return s + (double)f.alpha * x * s * (1 - s);
}

/* The gradient of x where y = activate(x), of Swish y = x, and g is the gradient of the result. */
static inline real activation_gradient(activation f, real y, real g) {
    switch (f.kind) {
        case TARN_RELU: return y > 0 ? g : 0;
        case TARN_RELU6: return y > 0 && y < 6 ? g : 0;
        case TARN_LEAKY_RELU: return y > 0 ? g : f.alpha * g;
        case TARN_SIGMOID: return y * (1 - y) * g;
        case TARN_TANH: return (1 - y * y) * g;
        case TARN_ELU: return y > 0 ? g : (y + f.alpha) * g;
        case TARN_SELU: return (y > 0 ? (real)SELU_SCALE : y + (real)(SELU_SCALE * SELU_ALPHA)) * g;
        case TARN_SWISH: return (real)(swish_slope(f, y) * g);
        case TARN_SCALE: return f.alpha * g;
        default: return g;
    }
}

#endif
