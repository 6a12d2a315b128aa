package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import java.util.List;

/** y = act(a + b). The gradient of both operands is that of y, so there is no backward operation. */
public record AddOp(Activation activation) implements Op {
    @Override
    public String name() {
        return "add" + activation.suffix();
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Sizes.requireSame(inputs.get(0).shape(), inputs.get(1).shape(), path);
        return List.of(Spec.like(inputs.get(0)));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(activation
                .addTo(KernelCall.of("add", node.output().dtype()))
                .set("count", Sizes.count(node.output().shape()))
                .set("a", node.input(0))
                .set("b", node.input(1))
                .set("out", node.output()));
    }

    @Override
    public int inPlaceInput() {
        return 0;
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        for (Value input : node.inputs()) {
            gradients.add(input, gradients.ofOutput(node));
        }
    }
}
