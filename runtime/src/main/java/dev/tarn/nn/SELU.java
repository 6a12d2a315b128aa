package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;

/**
 * The scaled exponential linear unit (Klambauer and others, "Self-normalizing neural networks", 2017), elementwise, any shape.
 * Inputs of mean 0 and variance 1 keep both, so deep networks need no batch normalisation; weights should start with variance
 * 1 / fan-in, and dropout be {@link Dropout#alpha() alpha dropout}.
 *
 * <pre>y = 1.0507 (x > 0 ? x : 1.6733 (exp(x) - 1))          with all digits of the two constants</pre>
 */
public final class SELU extends Layer {
    @Override
    public Value forward(Value x) {
        return x.activate(Activation.SELU);
    }
}
