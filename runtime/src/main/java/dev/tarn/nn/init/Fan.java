package dev.tarn.nn.init;

import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;

/** How many inputs and outputs a weight connects, and the two distributions that initialisers draw from. */
final class Fan {
    private Fan() {}

    /** Inputs of one output: I * KH * KW of a convolution (O, I/groups, KH, KW), I of a linear layer (O, I). */
    static long in(Shape weight) {
        return weight.elementCount() / weight.size(0);
    }

    /** Outputs that one input reaches: O * KH * KW, or O. With groups, those of its group. */
    static long out(Shape weight) {
        return weight.elementCount() / weight.size(1);
    }

    static void normal(Tensor tensor, Rng rng, double std) {
        tensor.fill(() -> std * rng.nextGaussian());
    }

    /** Uniform with the standard deviation given: within +-sqrt(3) * std. */
    static void uniform(Tensor tensor, Rng rng, double std) {
        double bound = StrictMath.sqrt(3) * std;
        tensor.fill(() -> bound * (2 * rng.nextDouble() - 1));
    }
}
