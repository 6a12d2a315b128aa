package dev.tarn.nn;

import dev.tarn.graph.Value;

/** (N, C, H, W) to (N, C*H*W), in C, H, W order. */
public final class Flatten extends Layer {
    @Override
    public Value forward(Value x) {
        return x.flatten();
    }
}
