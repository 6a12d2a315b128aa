package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.Conv2dOp.Epilogue;
import dev.tarn.graph.op.FoldOp;
import java.util.ArrayList;
import java.util.List;

/**
 * With fixed statistics batch normalisation is a scale and shift of each channel, which the weights and the bias of the
 * convolution or linear layer before it can carry. Left alone where that layer has another consumer or an activation, or weights
 * that each run masks anew.
 */
record FoldBatchNorm() implements Rewrite {
    @Override
    public String name() {
        return "fold-batchnorm";
    }

    @Override
    public void apply(Graph graph) {
        for (Node norm : List.copyOf(graph.nodes())) {
            if (!(norm.op() instanceof BatchNormOp op) || !op.activation().isNone()) {
                continue;
            }
            Node linear = Rewrite.soleProducer(graph, norm.input(0), norm);
            if (linear == null
                    || !(linear.op() instanceof Conv2dOp conv)
                    || linear.input(1).kind() == Value.Kind.ACTIVATION
                    || conv.epilogue().hasResidual()
                    || !conv.epilogue().activation().isNone()) {
                continue;
            }
            var foldInputs = new ArrayList<>(norm.inputs());
            foldInputs.set(0, linear.input(1));
            if (conv.epilogue().hasBias()) {
                foldInputs.add(linear.input(2));
            }
            Node fold = graph.create(new FoldOp(op.eps(), op.smoothed()), norm.path(), foldInputs);
            Node folded = graph.createFor(
                    conv.with(new Epilogue(Epilogue.Operand.PRESENT, Epilogue.Operand.ABSENT, Activation.NONE)),
                    linear.path(),
                    List.of(linear.input(0), fold.output(0), fold.output(1)),
                    norm.outputs());
            graph.nodes().add(graph.nodes().indexOf(linear), fold);
            Rewrite.replace(graph, linear, norm, folded);
        }
    }
}
