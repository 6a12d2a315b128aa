package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.MaxoutOp;

/**
 * The largest of several linear pieces (Goodfellow and others, "Maxout networks", 2013): after a convolution or linear layer with
 * {@code pieces * C} outputs, (N, pieces C, H, W) to (N, C, H, W), or (N, pieces C) to (N, C). Piece j is channels jC .. (j+1)C.
 *
 * <pre>y[c] = max over j of x[j C + c]</pre>
 *
 * The gradient goes to the piece that won, of equals the first. ReLU and leaky ReLU are maxouts of two pieces.
 */
public final class Maxout extends Layer {
    private final MaxoutOp op;

    /**
     * @param pieces 2 to 256
     * @throws IllegalArgumentException if there are fewer or more
     */
    public Maxout(int pieces) {
        op = new MaxoutOp(pieces);
    }

    @Override
    public Value forward(Value x) {
        return x.apply(op, label());
    }
}
