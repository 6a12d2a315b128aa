package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;
import dev.tarn.tensor.Shape;

/**
 * Variance 2 / (fan_in + fan_out), which keeps variances forward and backward through linear layers (Glorot and Bengio,
 * "Understanding the difficulty of training deep feedforward neural networks", 2010).
 */
public final class Xavier {
    private Xavier() {}

    public static Initializer normal() {
        return (parameter, rng) -> Fan.normal(parameter, rng, std(parameter.shape()));
    }

    public static Initializer uniform() {
        return (parameter, rng) -> Fan.uniform(parameter, rng, std(parameter.shape()));
    }

    private static double std(Shape weight) {
        return StrictMath.sqrt(2.0 / (Fan.in(weight) + Fan.out(weight)));
    }
}
