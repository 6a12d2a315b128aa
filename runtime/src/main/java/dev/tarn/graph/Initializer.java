package dev.tarn.graph;

import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Tensor;

/** Gives a parameter its first values. */
@FunctionalInterface
public interface Initializer {
    /**
     * Overwrites all elements, in logical order, so that the values do not depend on the memory layout.
     *
     * @param fan what the parameter connects
     */
    void initialize(Tensor parameter, Fan fan, Rng rng);

    /** Every element the same. */
    static Initializer constant(double value) {
        return (parameter, fan, rng) -> parameter.fill(() -> value);
    }
}
