package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;

/**
 * Variance 2 / fan_in, which keeps the second moment of activations through ReLU layers (He et al., "Delving deep into
 * rectifiers", 2015). The default of convolutions and linear layers.
 */
public final class He {
    private He() {}

    public static Initializer normal() {
        return (parameter, rng) -> Fan.normal(parameter, rng, StrictMath.sqrt(2.0 / Fan.in(parameter.shape())));
    }

    public static Initializer uniform() {
        return (parameter, rng) -> Fan.uniform(parameter, rng, StrictMath.sqrt(2.0 / Fan.in(parameter.shape())));
    }
}
