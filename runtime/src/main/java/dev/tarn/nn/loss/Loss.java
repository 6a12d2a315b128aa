package dev.tarn.nn.loss;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.tensor.Shape;

/** What training makes small: a mean over the examples of a batch. */
public interface Loss {
    /** Declares the input that holds what the network should have said. */
    Value target(Graph graph, Shape output);

    /** Traces the loss of the network's output: F64 (1). */
    Value forward(Value output, Value target);
}
