package dev.tarn.nn.loss;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.MseOp;
import dev.tarn.tensor.Shape;

/** Mean of squared differences over all elements of outputs and targets of one shape. */
public final class MSELoss implements Loss {
    @Override
    public Value target(Graph graph, Shape output) {
        return graph.input("target", graph.dtype(), output);
    }

    @Override
    public Value forward(Value output, Value target) {
        return output.apply(new MseOp(), "loss", target, output.graph().lossDivisor());
    }
}
