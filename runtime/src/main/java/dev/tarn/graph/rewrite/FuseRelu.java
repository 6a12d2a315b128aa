package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.AddOp;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.Conv2dOp.Epilogue;
import dev.tarn.graph.op.ReluOp;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A ReLU is applied by the operation that computes its input. Its gradient asks for the output only, so nothing is missed. */
record FuseRelu() implements Rewrite {
    @Override
    public String name() {
        return "fuse-relu";
    }

    @Override
    public void apply(Graph graph) {
        for (Node relu : List.copyOf(graph.nodes())) {
            if (!(relu.op() instanceof ReluOp)) {
                continue;
            }
            Node producer = Rewrite.soleProducer(graph, relu.input(0), relu);
            Op fused = producer == null ? null : withRelu(producer.op());
            if (producer != null && fused != null) {
                var outputs = new ArrayList<>(producer.outputs());
                outputs.set(0, relu.output());
                Rewrite.replace(
                        graph, producer, relu, graph.createFor(fused, producer.path(), producer.inputs(), outputs));
            }
        }
    }

    private static @Nullable Op withRelu(Op op) {
        return switch (op) {
            case Conv2dOp conv
            when conv.epilogue().activation() == Activation.NONE ->
                conv.with(new Epilogue(conv.epilogue().bias(), conv.epilogue().residual(), Activation.RELU));
            case BatchNormOp norm when norm.activation() == Activation.NONE -> norm.with(Activation.RELU);
            case AddOp add when add.activation() == Activation.NONE -> new AddOp(Activation.RELU);
            case BiasOp bias when bias.activation() == Activation.NONE -> new BiasOp(Activation.RELU);
            default -> null;
        };
    }
}
