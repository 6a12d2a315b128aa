package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;

/**
 * Independent normal numbers of mean 0 and one standard deviation for all layers, such as 0.01: well for shallow
 * networks, while in deep ones activations vanish or saturate, which {@code tarn lab init-stats} shows.
 */
public final class Gaussian {
    private Gaussian() {}

    /** @throws IllegalArgumentException if the standard deviation is not positive and finite */
    public static Initializer of(double std) {
        if (!(std > 0 && Double.isFinite(std))) {
            throw new IllegalArgumentException("a standard deviation is positive and finite, not " + std);
        }
        return Distribution.NORMAL.scaledBy(fan -> std);
    }
}
