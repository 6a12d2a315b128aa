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

/**
 * y = act(x, alpha) with a learned alpha, one for all channels or one for each: PReLU (leaky ReLU's slope) or Swish (its beta).
 * Inputs: x (N, C, H, W) or (N, C), alpha (1) or (C).
 *
 * @param kind LEAKY_RELU or SWISH
 */
public record ParametricOp(Activation.Kind kind) implements Op {
    @Override
    public String name() {
        return kind == Activation.Kind.LEAKY_RELU ? "prelu" : "swish";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape x = inputs.get(0).shape();
        Sizes.requireImagesOrRows(x, path);
        long alphas = inputs.get(1).shape().elementCount();
        if (alphas != 1 && alphas != Sizes.channels(x)) {
            throw new ShapeException(
                    path, alphas + " channels", x.toString(), "one alpha for each channel, or one for all");
        }
        return List.of(Spec.like(inputs.get(0)));
    }

    private KernelCall<Value> sized(String op, Value x, Value alpha) {
        return KernelCall.<Value>of(op, x.dtype())
                .set("hw", Sizes.pixels(x.shape()))
                .set("c", Sizes.channels(x.shape()))
                .set("activation", kind.ordinal())
                .set("alphas", alpha.shape().elementCount())
                .set("input", x)
                .set("alpha", alpha);
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("parametric_forward", node.input(0), node.input(1)).set("output", node.output()));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value gradAlpha = gradients.ofParameter(node.input(1));
        if (gradAlpha == null) {
            throw new UnsupportedOperationException(node.path() + ": alpha is trained with the layer");
        }
        Node backward = gradients.apply(
                new Backward(this), node, gradients.ofOutput(node), node.input(0), node.input(1), gradAlpha);
        gradients.add(node.input(0), backward.output());
    }

    /** grad_x = dy/dx grad_y, grad_alpha += sum of dy/dalpha grad_y. Inputs: grad_y, x, alpha, grad_alpha. */
    record Backward(ParametricOp forward) implements Op {
        @Override
        public String name() {
            return forward.name() + "_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized("parametric_backward", node.input(1), node.input(2))
                    .set("grad_output", node.input(0))
                    .set("grad_input", node.output())
                    .set("grad_alpha", node.input(3)));
        }

        @Override
        public int inPlaceInput() {
            return 0;
        }
    }
}
