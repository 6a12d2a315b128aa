package dev.tarn.graph;

import dev.tarn.tensor.Shape;

/**
 * A learned or tracked array of a layer: what it is, not its memory, which the model owns. Its path in the model, such as
 * {@code layer1.0.conv1.weight}, is its name in files.
 *
 * @param name its name within its layer: {@code weight}, {@code bias}, {@code running_mean}, {@code running_var}
 * @param shape logical shape: convolutions (O, I/groups, KH, KW), linear layers (O, I), channels (C)
 * @param fan what it connects, for its initialiser
 */
public record Parameter(String name, Shape shape, Role role, Fan fan, Initializer initializer) {
    /** How a parameter changes. */
    public enum Role {
        /** Learned, and subject to weight decay. */
        WEIGHT,
        /** Learned, and not decayed: biases, scale and shift of normalisation. */
        BIAS,
        /** Tracked by the forward pass, such as running statistics; has no gradient. */
        STATISTIC;

        public boolean isTrainable() {
            return this != STATISTIC;
        }
    }

    // Two layers may state equal parameters; they are different parameters all the same.
    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
