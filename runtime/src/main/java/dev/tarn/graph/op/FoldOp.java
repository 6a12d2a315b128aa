package dev.tarn.graph.op;

import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import java.util.List;

/**
 * Batch normalisation with fixed statistics, folded into the linear operation before it: w' = w * g and b' = (b - mean) * g +
 * bias with g = weight / sqrt(var + eps), or weight / std. Inputs: w (O, ...); weight, bias, mean, variance or deviation (O); then b (O), if there is one.
 * Outputs: w', b'. Runs once for given parameters, so it has no backward.
 */
public record FoldOp(double eps, BatchNormOp.Smoothed smoothed) implements Op {
    private static final int BIAS = 5;

    @Override
    public String name() {
        return "batchnorm_fold";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value w = inputs.get(0);
        return List.of(
                new Spec(".folded_weight", Value.Kind.CONSTANT, w.dtype(), w.shape(), Layout.WEIGHT),
                new Spec(
                        ".folded_bias",
                        Value.Kind.CONSTANT,
                        w.dtype(),
                        Shape.of(w.shape().size(0)),
                        Layout.WEIGHT));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        Shape w = node.input(0).shape();
        return List.of(KernelCall.<Value>of(name(), node.input(0).dtype())
                .once()
                .set("rows", w.elementCount() / w.size(0))
                .set("c", w.size(0))
                .set("smoothed", smoothed.ordinal())
                .set("eps", eps)
                .set("weight", node.input(0))
                .set("bn_weight", node.input(1))
                .set("bn_bias", node.input(2))
                .set("mean", node.input(3))
                .set("var", node.input(4))
                .set("bias", node.inputs().size() > BIAS ? node.input(BIAS) : null)
                .set("out_weight", node.output(0))
                .set("out_bias", node.output(1)));
    }
}
