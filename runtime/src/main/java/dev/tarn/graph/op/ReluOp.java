package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import java.util.List;

/** y = max(0, x); a NaN passes through. The gradient is 1 for x > 0 and 0 for x <= 0. */
public record ReluOp() implements Op {
    @Override
    public String name() {
        return "relu";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        return List.of(Spec.like(inputs.get(0)));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(KernelCall.<Value>of("relu_forward", node.output().dtype())
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
        gradients.propagate(node.input(0), new Backward(), node, node.output(), gradients.ofOutput(node));
    }

    /** grad_x = grad_y where y > 0, else 0. Inputs: y, grad_y; asking y instead of x lets y overwrite x. */
    public record Backward() implements Op {
        @Override
        public String name() {
            return "relu_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(1)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(KernelCall.<Value>of(name(), node.output().dtype())
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
