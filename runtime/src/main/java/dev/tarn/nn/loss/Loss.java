package dev.tarn.nn.loss;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;

/** What training makes small: a mean over the examples of a batch. */
public interface Loss {
    /** Declares the input that holds what the network should have said. */
    Value target(Graph graph, Shape output);

    /** Traces the loss of the network's output: F64 (1), over {@link Graph#lossDivisor} where that has memory. */
    Value forward(Value output, Value target);

    /** What examples count for together, by which the mean over a batch divides: their number, unless they have weights. */
    default double weight(Tensor target) {
        return target.shape().size(0);
    }
}
