package dev.tarn.nn.loss;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.HingeOp;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;

/**
 * Multiclass hinge loss (Weston and Watkins, 1999) of scores (N, classes) with labels I32 (N), the loss of a multiclass SVM:
 *
 * <pre>loss = 1/N sum_n sum_{c != label} max(0, scores[n,c] - scores[n,label] + 1)</pre>
 *
 * The margin is 1: weights choose the scale of scores. At a kink the gradient is 0. A label outside [0, classes) is an error.
 */
public final class HingeLoss implements Loss {
    @Override
    public String toString() {
        return "hinge";
    }

    @Override
    public Value target(Graph graph, Shape output) {
        return graph.input("labels", DType.I32, Shape.of(output.size(0)));
    }

    @Override
    public Value forward(Value output, Value target) {
        return output.apply(new HingeOp(), "loss", target, output.graph().lossDivisor());
    }
}
