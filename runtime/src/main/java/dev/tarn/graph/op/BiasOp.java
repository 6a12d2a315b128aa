package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.List;

/** y = act(x + b), one b for each channel. Inputs: x (N, C, H, W) or (N, C), b (C). */
public record BiasOp(Activation activation) implements Op {
    @Override
    public String name() {
        return "bias" + activation.suffix();
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape x = inputs.get(0).shape();
        Sizes.requireImagesOrRows(x, path);
        if (inputs.get(1).shape().elementCount() != Sizes.channels(x)) {
            throw new ShapeException(
                    path, "(" + Sizes.channels(x) + ")", inputs.get(1).shape().toString(), "one bias for each channel");
        }
        return List.of(Spec.activation(inputs.get(0).dtype(), x));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(activation
                .addTo(sized("bias_forward", node.output()))
                .set("input", node.input(0))
                .set("bias", node.input(1))
                .set("output", node.output()));
    }

    private static KernelCall<Value> sized(String op, Value images) {
        return KernelCall.<Value>of(op, images.dtype())
                .set("hw", Sizes.pixels(images.shape()))
                .set("c", Sizes.channels(images.shape()));
    }

    @Override
    public int inPlaceInput() {
        return 0;
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value gradOutput = gradients.ofOutput(node);
        gradients.accumulate(node.input(1), new Backward(), node, gradOutput);
        gradients.add(node.input(0), gradOutput);
    }

    /** grad_b += sum of grad_y over examples and pixels. Inputs: grad_y, grad_b. */
    record Backward() implements Op {
        @Override
        public String name() {
            return "bias_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of();
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(sized(name(), node.input(0))
                    .set("grad_output", node.input(0))
                    .set("grad_bias", node.input(1)));
        }
    }
}
