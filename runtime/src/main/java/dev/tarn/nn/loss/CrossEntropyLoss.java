package dev.tarn.nn.loss;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.CrossEntropyOp;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;

/**
 * Softmax cross-entropy of logits (N, classes) with labels I32 (N):
 *
 * <pre>loss = -1/N sum_n sum_c t[n,c] log softmax(logits[n])[c],  t = (1 - smoothing) * onehot(label) + smoothing / classes</pre>
 *
 * Computed in one by log-sum-exp, so that large logits do no harm. A label outside [0, classes) is an error.
 */
public final class CrossEntropyLoss implements Loss {
    private final double smoothing;

    /** Without label smoothing. */
    public CrossEntropyLoss() {
        this(0);
    }

    /** @param smoothing share of the target that is spread over all classes, in [0, 1) */
    public CrossEntropyLoss(double smoothing) {
        if (!(smoothing >= 0 && smoothing < 1)) {
            throw new IllegalArgumentException("label smoothing is in [0, 1), not " + smoothing);
        }
        this.smoothing = smoothing;
    }

    @Override
    public Value target(Graph graph, Shape output) {
        return graph.input("labels", DType.I32, Shape.of(output.size(0)));
    }

    @Override
    public Value forward(Value output, Value target) {
        return output.apply(new CrossEntropyOp(smoothing), "loss", target);
    }
}
