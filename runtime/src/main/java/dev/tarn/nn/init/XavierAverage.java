package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;

/**
 * Variance 2 / (fan_in + fan_out), the compromise between keeping variances forward and backward through linear
 * layers (Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010).
 */
public final class XavierAverage {
    private XavierAverage() {}

    public static Initializer normal() {
        return of(Distribution.NORMAL);
    }

    public static Initializer uniform() {
        return of(Distribution.UNIFORM);
    }

    public static Initializer of(Distribution distribution) {
        return distribution.scaledBy(fan -> StrictMath.sqrt(2.0 / (fan.in() + fan.out())));
    }
}
