package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;

/** max(0, x), elementwise; a NaN passes through. */
public final class ReLU extends Layer {
    @Override
    public Value forward(Value x) {
        return x.apply(new ActivationOp(Activation.RELU), label());
    }
}
