package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;

/** min(max(0, x), 6), elementwise; a NaN passes through. */
public final class ReLU6 extends Layer {
    @Override
    public Value forward(Value x) {
        return x.apply(new ActivationOp(Activation.RELU6), label());
    }
}
