package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.AddOp;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.Conv2dOp.Epilogue;
import dev.tarn.graph.op.GroupNormOp;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An activation is applied by the operation before it, unless somebody else needs that one's result: the gradient of Swish does, those of
 * the others ask for the output.
 */
record FuseActivation() implements Rewrite {
    @Override
    public String name() {
        return "fuse-activation";
    }

    @Override
    public void apply(Graph graph) {
        for (Node node : List.copyOf(graph.nodes())) {
            if (!(node.op() instanceof ActivationOp op)) {
                continue;
            }
            Node producer = Rewrite.soleProducer(graph, node.input(0), node);
            Op fused = producer == null ? null : with(op.activation(), producer.op());
            if (producer != null && fused != null) {
                var outputs = new ArrayList<>(producer.outputs());
                outputs.set(0, node.output());
                Rewrite.replace(
                        graph, producer, node, graph.createFor(fused, producer.path(), producer.inputs(), outputs));
            }
        }
    }

    private static @Nullable Op with(Activation activation, Op op) {
        return switch (op) {
            case Conv2dOp conv
            when conv.epilogue().activation().isNone() ->
                conv.with(new Epilogue(conv.epilogue().bias(), conv.epilogue().residual(), activation));
            case BatchNormOp norm when norm.activation().isNone() -> norm.with(activation);
            case GroupNormOp norm when norm.activation().isNone() -> norm.with(activation);
            case AddOp add when add.activation().isNone() -> new AddOp(activation);
            case BiasOp bias when bias.activation().isNone() -> new BiasOp(activation);
            default -> null;
        };
    }
}
