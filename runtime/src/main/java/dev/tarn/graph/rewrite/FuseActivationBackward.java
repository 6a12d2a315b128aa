package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.BatchNormOp;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The gradient of an activation after batch normalisation is masked while a normalisation's backward pass reads it, which saves
 * a pass over memory; the mask is one bit for each element, which forward leaves. Where others need the masked gradient too,
 * residual blocks for instance, that backward pass writes it on the way.
 */
record FuseActivationBackward() implements Rewrite {
    @Override
    public String name() {
        return "fuse-activation-backward";
    }

    @Override
    public void apply(Graph graph) {
        for (Node masking : List.copyOf(graph.nodes())) {
            if (masking.op() instanceof ActivationOp.Backward) {
                Node forward = masking.input(0).producer();
                Node backward = unmaskedReader(graph, masking.output());
                if (forward != null
                        && backward != null
                        && forward.op() instanceof BatchNormOp norm
                        && norm.activation().passesOrNot()) {
                    fuse(graph, forward, masking, backward);
                }
            }
        }
    }

    private static @Nullable Node unmaskedReader(Graph graph, Value gradient) {
        for (Node reader : graph.consumers(gradient)) {
            if (reader.op() instanceof BatchNormOp.Backward
                    && !BatchNormOp.Backward.isMasked(reader)
                    && reader.input(0) == gradient) {
                return reader;
            }
        }
        return null;
    }

    private static void fuse(Graph graph, Node forward, Node masking, Node backward) {
        Value mask = graph.createValue(forward.path(), BatchNormOp.maskOf(forward.output()));
        var results = new ArrayList<>(forward.outputs());
        results.add(mask);
        graph.nodes()
                .set(
                        graph.nodes().indexOf(forward),
                        graph.createFor(forward.op(), forward.path(), forward.inputs(), results));

        var inputs = new ArrayList<>(backward.inputs());
        inputs.set(0, masking.input(1));
        inputs.add(mask);
        var outputs = new ArrayList<>(backward.outputs());
        if (graph.consumers(masking.output()).size() > 1) {
            outputs.add(masking.output());
        }
        // It reads nothing else of the backward pass, so it can run where the mask was applied, before all other
        // readers.
        graph.nodes()
                .set(graph.nodes().indexOf(masking), graph.createFor(backward.op(), backward.path(), inputs, outputs));
        graph.nodes().remove(backward);
    }
}
