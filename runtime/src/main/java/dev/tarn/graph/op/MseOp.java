package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import java.util.List;

/**
 * Mean of squared differences over all elements. Inputs: prediction (N, ...), target of the same shape, what N is taken for, F64 (1).
 * Output: loss F64 (1).
 */
public record MseOp() implements Op {
    @Override
    public String name() {
        return "mse";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Sizes.requireSame(inputs.get(0).shape(), inputs.get(1).shape(), path);
        return List.of(Spec.loss());
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("mse_forward", node).set("loss", node.output()));
    }

    private static KernelCall<Value> sized(String op, Node node) {
        Value prediction = node.input(0);
        return KernelCall.<Value>of(op, prediction.dtype())
                .set("count", Sizes.count(prediction.shape()))
                .set("input", prediction)
                .set("target", node.input(1))
                .set("divisor", node.input(2));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        gradients.propagate(node.input(0), new Backward(), node, node.inputs().toArray(Value[]::new));
    }

    /** grad = 2 * (prediction - target) / elements. Inputs: as forward. */
    record Backward() implements Op {
        @Override
        public String name() {
            return "mse_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(sized(name(), node).set("grad_input", node.output()));
        }
    }
}
