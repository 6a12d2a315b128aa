package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.BatchNormOp.Mask;
import dev.tarn.graph.op.ReluOp;
import java.util.ArrayList;
import java.util.List;

/**
 * The gradient of a ReLU after batch normalisation is masked while the normalisation's backward pass reads it, which saves a
 * pass over memory. Where a residual block needs the masked gradient too, that pass writes it on the way.
 */
record FuseReluBackward() implements Rewrite {
    @Override
    public String name() {
        return "fuse-relu-backward";
    }

    @Override
    public void apply(Graph graph) {
        for (Node relu : List.copyOf(graph.nodes())) {
            if (!(relu.op() instanceof ReluOp.Backward)) {
                continue;
            }
            List<Node> consumers = graph.consumers(relu.output());
            Node norm = consumers.isEmpty() ? null : consumers.get(0);
            // The normalisation must be first: only then is the masked gradient there for the others.
            if (norm == null
                    || !(norm.op() instanceof BatchNormOp.Backward backward)
                    || backward.mask() != Mask.NONE
                    || norm.input(0) != relu.output()) {
                continue;
            }
            Value output = relu.input(0);
            var inputs = new ArrayList<>(norm.inputs());
            inputs.set(0, relu.input(1));
            inputs.add(output);
            var outputs = new ArrayList<>(norm.outputs());
            Mask mask = Mask.RELU;
            if (consumers.size() > 1) {
                mask = Mask.RELU_WITH_RESIDUAL;
                outputs.add(relu.output());
            }
            var fused = new BatchNormOp.Backward(backward.forward(), mask);
            Rewrite.replace(graph, relu, norm, graph.createFor(fused, norm.path(), inputs, outputs));
        }
    }
}
