package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;

/**
 * Variance 1 / fan_in, which keeps variances forward through linear layers: the form in which Glorot and Bengio's
 * initialisation ("Understanding the difficulty of training deep feedforward neural networks", 2010) is mostly
 * taught. What the paper ends with, and PyTorch calls Xavier, is {@link XavierAverage}.
 */
public final class Xavier {
    private Xavier() {}

    public static Initializer normal() {
        return of(Distribution.NORMAL);
    }

    public static Initializer uniform() {
        return of(Distribution.UNIFORM);
    }

    public static Initializer of(Distribution distribution) {
        return distribution.scaledBy(fan -> StrictMath.sqrt(1.0 / fan.in()));
    }
}
