package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;

/**
 * Variance 1 / fan_in, for activations that keep the variance of 1 themselves, such as SELU or the scaled tanh (LeCun
 * et al., "Efficient BackProp", 1998). The same numbers as {@link Xavier}, by the name that is used where
 * activations, not linear layers, are the reason.
 */
public final class LeCun {
    private LeCun() {}

    public static Initializer normal() {
        return of(Distribution.NORMAL);
    }

    public static Initializer uniform() {
        return of(Distribution.UNIFORM);
    }

    public static Initializer of(Distribution distribution) {
        return Xavier.of(distribution);
    }
}
