package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.graph.op.Pool2dOp;

/** Mean of each window: (N, C, H, W) to (N, C, OH, OW). Elements outside the image do not count unless asked for. */
public final class AvgPool2d extends Layer {
    private final Window window;
    private final Pool2dOp.Padding divisor;

    public AvgPool2d(Window window) {
        this(window, Pool2dOp.Padding.EXCLUDED);
    }

    /** @param divisor whether padding counts as zeros: PyTorch's count_include_pad */
    public AvgPool2d(Window window, Pool2dOp.Padding divisor) {
        this.window = window;
        this.divisor = divisor;
    }

    @Override
    public Value forward(Value x) {
        return x.apply(Pool2dOp.average(window, divisor), label());
    }
}
