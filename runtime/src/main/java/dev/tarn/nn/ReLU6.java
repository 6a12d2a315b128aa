package dev.tarn.nn;

import dev.tarn.graph.Value;

/** min(max(0, x), 6), elementwise; a NaN passes through. */
public final class ReLU6 extends Layer {
    @Override
    public Value forward(Value x) {
        return x.relu6();
    }
}
