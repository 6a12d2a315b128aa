package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.BatchNormOp;
import java.util.ArrayList;
import java.util.List;

/**
 * The gradient of an activation after batch normalisation is masked while the normalisation's backward pass reads it, which saves a
 * pass over memory. Where a residual block needs the masked gradient too, that pass writes it on the way.
 */
record FuseActivationBackward() implements Rewrite {
    @Override
    public String name() {
        return "fuse-activation-backward";
    }

    @Override
    public void apply(Graph graph) {
        for (Node node : List.copyOf(graph.nodes())) {
            if (!(node.op() instanceof ActivationOp.Backward masking)) {
                continue;
            }
            List<Node> consumers = graph.consumers(node.output());
            Node norm = consumers.isEmpty() ? null : consumers.get(0);
            // The normalisation must be first: only then is the masked gradient there for the others.
            if (norm == null
                    || !(norm.op() instanceof BatchNormOp.Backward backward)
                    || backward.mask() != Activation.NONE
                    || norm.input(0) != node.output()) {
                continue;
            }
            Value output = node.input(0);
            var inputs = new ArrayList<>(norm.inputs());
            inputs.set(0, node.input(1));
            inputs.add(output);
            var outputs = new ArrayList<>(norm.outputs());
            if (consumers.size() > 1) {
                outputs.add(node.output());
            }
            var fused = new BatchNormOp.Backward(backward.forward(), masking.activation());
            Rewrite.replace(graph, node, norm, graph.createFor(fused, norm.path(), inputs, outputs));
        }
    }
}
