package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;

/**
 * The hyperbolic tangent, elementwise, in [-1, 1]; any shape. Odd to the bit.
 *
 * <pre>y = tanh(x) = 2 sigmoid(2x) - 1          dy/dx = 1 - y^2</pre>
 */
public final class Tanh extends Layer {
    @Override
    public Value forward(Value x) {
        return x.apply(new ActivationOp(Activation.TANH), label());
    }
}
