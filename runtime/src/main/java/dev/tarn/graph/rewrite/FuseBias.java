package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.Conv2dOp.Epilogue;
import java.util.ArrayList;
import java.util.List;

/** A bias after a convolution or linear layer is added while its sums are in registers. */
record FuseBias() implements Rewrite {
    @Override
    public String name() {
        return "fuse-bias";
    }

    @Override
    public void apply(Graph graph) {
        for (Node bias : List.copyOf(graph.nodes())) {
            if (!(bias.op() instanceof BiasOp)) {
                continue;
            }
            Node linear = Rewrite.soleProducer(graph, bias.input(0), bias);
            if (linear != null
                    && linear.op() instanceof Conv2dOp conv
                    && conv.epilogue().isEmpty()) {
                var inputs = new ArrayList<>(linear.inputs());
                inputs.add(bias.input(1));
                var op = conv.with(new Epilogue(
                        Epilogue.Operand.PRESENT,
                        Epilogue.Operand.ABSENT,
                        conv.epilogue().activation()));
                Rewrite.replace(graph, linear, bias, graph.createFor(op, linear.path(), inputs, bias.outputs()));
            }
        }
    }
}
