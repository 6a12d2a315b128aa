package dev.tarn.nn;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.graph.op.StochasticPool2dOp;

/**
 * Stochastic pooling (Zeiler and Fergus, "Stochastic pooling for regularization of deep convolutional neural networks", 2013):
 * (N, C, H, W) to (N, C, OH, OW). With a the positive part of a window's elements, training draws one of them, inference takes
 * the mean of what it would draw:
 *
 * <pre>training y = a[i] with probability p[i] = a[i] / sum of a          inference y = sum of p[i] a[i]</pre>
 *
 * A window without positive elements gives 0, and its elements get no gradient; so negative elements, which no ReLU leaves,
 * count as 0. A NaN in the window is the result, else an infinity is. Padding is never drawn. Windows have 255 elements at most.
 */
public final class StochasticPool2d extends Layer {
    private final Window window;

    public StochasticPool2d(Window window) {
        this.window = window;
    }

    /** Windows of that size that do not overlap. */
    public StochasticPool2d(long size) {
        this(Window.window(size).stride(size));
    }

    @Override
    public Value forward(Value x) {
        Graph graph = x.graph();
        StochasticPool2dOp op = StochasticPool2dOp.of(window, graph);
        return graph.randomness() == Graph.Randomness.DRAWN ? x.apply(op, label(), graph.step()) : x.apply(op, label());
    }
}
