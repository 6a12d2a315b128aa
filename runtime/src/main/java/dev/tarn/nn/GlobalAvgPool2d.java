package dev.tarn.nn;

import dev.tarn.graph.Value;

/** Mean of each channel: (N, C, H, W) to (N, C). */
public final class GlobalAvgPool2d extends Layer {
    @Override
    public Value forward(Value x) {
        return x.globalAvgPool2d();
    }
}
