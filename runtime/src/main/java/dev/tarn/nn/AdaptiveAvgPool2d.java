package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.graph.op.Pool2dOp;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;

/**
 * Means of equal windows, as many as asked for: (N, C, H, W) to (N, C, rows, columns). Images of just that size stay as they are.
 * Sizes that are no multiple are refused; PyTorch's layer of this name takes them, by windows that overlap.
 */
public final class AdaptiveAvgPool2d extends Layer {
    private final long rows;
    private final long columns;

    /** @throws IllegalArgumentException if there is to be no row or no column */
    public AdaptiveAvgPool2d(long rows, long columns) {
        if (rows < 1 || columns < 1) {
            throw new IllegalArgumentException(
                    "pooling leaves a row and a column at least, not " + rows + "x" + columns);
        }
        this.rows = rows;
        this.columns = columns;
    }

    @Override
    public Value forward(Value x) {
        Shape shape = x.shape();
        if (shape.rank() != 4 || shape.size(2) % rows != 0 || shape.size(3) % columns != 0) {
            throw new ShapeException(
                    label(),
                    "images whose rows are a multiple of %d and columns of %d".formatted(rows, columns),
                    shape.toString(),
                    "pooling to a fixed size takes windows that are all equal");
        }
        long high = shape.size(2) / rows;
        long wide = shape.size(3) / columns;
        return high == 1 && wide == 1
                ? x
                : x.apply(
                        Pool2dOp.average(Window.of(high, wide).stride(high, wide), Pool2dOp.Padding.EXCLUDED), label());
    }
}
