package dev.tarn.nn;

import dev.tarn.graph.Value;

/** max(0, x), elementwise; a NaN passes through. */
public final class ReLU extends Layer {
    @Override
    public Value forward(Value x) {
        return x.relu();
    }
}
