package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.AddOp;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.Conv2dOp.Epilogue;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A sum is made by the operation that computes one of its operands: of a residual block the convolution or batch normalisation,
 * of gradients that meet there the convolution's backward pass.
 */
record FuseAdd() implements Rewrite {
    @Override
    public String name() {
        return "fuse-add";
    }

    @Override
    public void apply(Graph graph) {
        for (Node add : List.copyOf(graph.nodes())) {
            if (!(add.op() instanceof AddOp sum) || !sum.activation().isNone() || add.input(0) == add.input(1)) {
                continue;
            }
            // The operand computed later: the other one is there when it runs.
            Node first = Rewrite.soleProducer(graph, add.input(0), add);
            Node second = Rewrite.soleProducer(graph, add.input(1), add);
            int firstIndex = fusable(first) ? graph.nodes().indexOf(first) : -1;
            int secondIndex = fusable(second) ? graph.nodes().indexOf(second) : -1;
            Node later = firstIndex > secondIndex ? first : second;
            if (later == null || Math.max(firstIndex, secondIndex) < 0) {
                continue;
            }
            Value residual = later == first ? add.input(1) : add.input(0);
            var inputs = new ArrayList<>(later.inputs());
            inputs.add(residual);
            var outputs = new ArrayList<>(later.outputs());
            outputs.set(0, add.output());
            Rewrite.replace(
                    graph, later, add, graph.createFor(withResidual(later.op()), later.path(), inputs, outputs));
        }
    }

    private static boolean fusable(@Nullable Node node) {
        return node != null
                && switch (node.op()) {
                    case BatchNormOp norm -> norm.activation().isNone() && BatchNormOp.residual(node) == null;
                    case Conv2dOp conv ->
                        conv.epilogue().activation().isNone()
                                && !conv.epilogue().hasResidual();
                    case Conv2dOp.BackwardData ignored -> !Conv2dOp.BackwardData.hasResidual(node);
                    default -> false;
                };
    }

    private static Op withResidual(Op op) {
        return op instanceof Conv2dOp conv
                ? conv.with(new Epilogue(conv.epilogue().bias(), Epilogue.Operand.PRESENT, Activation.NONE))
                : op;
    }
}
