package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import java.util.List;

/**
 * (N, C, H, W) to (N, C*H*W) in C, H, W order, so that weights from elsewhere fit. Channels-last memory makes that a transpose
 * of each image, except where there is one channel or one pixel: then the rows are the images' memory itself.
 */
public record FlattenOp() implements Op {
    @Override
    public String name() {
        return "flatten";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape x = inputs.get(0).shape();
        Sizes.requireImages(x, path);
        return List.of(Spec.activation(inputs.get(0).dtype(), Shape.of(x.size(0), Sizes.count(x))));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        Shape x = node.input(0).shape();
        return isView(node) ? List.of() : transpose(node, Sizes.pixels(x), Sizes.channels(x));
    }

    @Override
    public boolean isView(Node node) {
        return isLine(node.input(0).shape());
    }

    /** One row or one column. */
    private static boolean isLine(Shape images) {
        return Sizes.pixels(images) == 1 || Sizes.channels(images) == 1;
    }

    private static List<KernelCall<Value>> transpose(Node node, long rows, long columns) {
        return List.of(KernelCall.<Value>of("transpose", node.output().dtype())
                .set("rows", rows)
                .set("cols", columns)
                .set("input", node.input(0))
                .set("output", node.output()));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value x = node.input(0);
        gradients.propagate(x, new Backward(x.shape()), node, gradients.ofOutput(node));
    }

    /** Rows back to channels-last images. Input: grad_y. */
    record Backward(Shape images) implements Op {
        @Override
        public String name() {
            return "unflatten";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.activation(inputs.get(0).dtype(), images));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return isView(node) ? List.of() : transpose(node, Sizes.channels(images), Sizes.pixels(images));
        }

        @Override
        public boolean isView(Node node) {
            return isLine(images);
        }
    }
}
