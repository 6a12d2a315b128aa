package dev.tarn.nn.init;

import dev.tarn.graph.Fan;
import dev.tarn.graph.Initializer;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Tensor;
import java.util.function.ToDoubleFunction;

/** What independent weights of mean 0 are drawn from; the standard deviation is the initialiser's. */
public enum Distribution {
    NORMAL,
    /** Within +-sqrt(3) times the standard deviation. */
    UNIFORM;

    /** Weights whose standard deviation is a function of what they connect. */
    Initializer scaledBy(ToDoubleFunction<Fan> std) {
        return (parameter, fan, rng) -> fill(parameter, rng, std.applyAsDouble(fan));
    }

    private void fill(Tensor tensor, Rng rng, double std) {
        double bound = StrictMath.sqrt(3) * std;
        switch (this) {
            case NORMAL -> tensor.fill(() -> std * rng.nextGaussian());
            case UNIFORM -> tensor.fill(() -> bound * (2 * rng.nextDouble() - 1));
        }
    }
}
