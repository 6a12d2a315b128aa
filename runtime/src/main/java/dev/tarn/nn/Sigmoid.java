package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;

/**
 * The logistic function, elementwise, in (0, 1); any shape.
 *
 * <pre>y = 1 / (1 + exp(-x))          dy/dx = y (1 - y)</pre>
 *
 * Beyond |x| = 3 it saturates: less than a twentieth of the gradient passes. A NaN passes through.
 */
public final class Sigmoid extends Layer {
    @Override
    public Value forward(Value x) {
        return x.apply(new ActivationOp(Activation.SIGMOID), label());
    }
}
