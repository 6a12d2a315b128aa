package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;

/**
 * Variance 2 / ((1 + a^2) fan_in), which keeps the second moment of activations through leaky ReLU layers of slope a,
 * or ReLU layers with a = 0 (He et al., "Delving deep into rectifiers", 2015). With a = 0 the default of convolutions
 * and linear layers.
 */
public final class He {
    private He() {}

    public static Initializer normal() {
        return of(Distribution.NORMAL, 0);
    }

    public static Initializer uniform() {
        return of(Distribution.UNIFORM, 0);
    }

    /** @param slope of the activations that follow, for negative numbers */
    public static Initializer of(Distribution distribution, double slope) {
        return distribution.scaledBy(fan -> StrictMath.sqrt(2 / ((1 + slope * slope) * fan.in())));
    }
}
