package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.graph.op.Pool2dOp;

/**
 * Maximum of each window: (N, C, H, W) to (N, C, OH, OW). Of equal elements the first in row-major order gets the gradient; a
 * NaN in the window wins; padding never does.
 */
public final class MaxPool2d extends Layer {
    private final Window window;

    public MaxPool2d(Window window) {
        this.window = window;
    }

    /** Windows of that size that do not overlap. */
    public MaxPool2d(long size) {
        this(Window.window(size).stride(size));
    }

    @Override
    public Value forward(Value x) {
        return x.apply(Pool2dOp.max(window), label());
    }
}
