package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import java.util.List;

/** y = act(x), elementwise. */
public record ActivationOp(Activation activation) implements Op {
    @Override
    public String name() {
        return activation.label();
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        return List.of(Spec.like(inputs.get(0)));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(activation
                .addTo(KernelCall.of("activation_forward", node.output().dtype()))
                .set("count", Sizes.count(node.output().shape()))
                .set("a", node.input(0))
                .set("out", node.output()));
    }

    @Override
    public int inPlaceInput() {
        return 0;
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value told = activation.resultTellsGradient() ? node.output() : node.input(0);
        gradients.propagate(node.input(0), new Backward(activation), node, told, gradients.ofOutput(node));
    }

    /** grad_x = act'(x) * grad_y. Inputs: y, which tells act'(x) and so lets y overwrite x, or of Swish x; then grad_y. */
    public record Backward(Activation activation) implements Op {
        @Override
        public String name() {
            return activation.label() + "_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(1)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(activation
                    .addTo(KernelCall.of("activation_backward", node.output().dtype()))
                    .set("count", Sizes.count(node.output().shape()))
                    .set("a", node.input(0))
                    .set("b", node.input(1))
                    .set("out", node.output()));
        }

        @Override
        public int inPlaceInput() {
            return 1;
        }
    }
}
