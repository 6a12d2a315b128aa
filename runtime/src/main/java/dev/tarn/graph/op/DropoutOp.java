package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.List;

/**
 * Inverted dropout (Srivastava et al., 2014; scaled in training): each element is x / keep with probability keep, else 0. The
 * mask is one bit for each element, a pure function of (seed, stream, step, index). Inputs: x, step.
 *
 * @param keep probability of keeping an element, in (0, 1]
 * @param stream keeps the masks of different layers apart
 */
public record DropoutOp(double keep, long seed, long stream) implements Op {
    @Override
    public String name() {
        return "dropout";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Shape bits = Shape.of((x.shape().elementCount() + 7) / 8);
        return List.of(Spec.like(x), Spec.workspace("mask", DType.U8, bits));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("dropout_forward", node.output())
                .set("seed", seed)
                .set("stream", stream)
                .set("step", node.input(1))
                .set("input", node.input(0))
                .set("output", node.output())
                .set("mask", node.output(1)));
    }

    private KernelCall<Value> sized(String op, Value x) {
        return KernelCall.<Value>of(op, x.dtype())
                .set("count", Sizes.count(x.shape()))
                .set("keep", keep);
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        gradients.propagate(node.input(0), new Backward(this), node, gradients.ofOutput(node), node.output(1));
    }

    /** grad_x = grad_y / keep where kept, else 0, with the mask of the forward pass. Inputs: grad_y, mask. */
    record Backward(DropoutOp forward) implements Op {
        @Override
        public String name() {
            return "dropout_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized(name(), node.output())
                    .set("grad_output", node.input(0))
                    .set("mask", node.input(1))
                    .set("grad_input", node.output()));
        }
    }
}
