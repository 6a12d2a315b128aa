package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.ArrayList;
import java.util.List;

/** Channels of all inputs in a row: (N, C1 + C2 + ..., H, W), or columns of rows. */
public record ConcatOp() implements Op {
    @Override
    public String name() {
        return "concat";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape first = inputs.get(0).shape();
        Sizes.requireImagesOrRows(first, path);
        long[] sizes = first.toArray();
        for (Value other : inputs.subList(1, inputs.size())) {
            long[] otherSizes = other.shape().toArray();
            sizes[1] += otherSizes.length > 1 ? otherSizes[1] : 0;
            long[] same = first.toArray();
            same[1] = otherSizes.length > 1 ? otherSizes[1] : 0;
            if (!other.shape().equals(Shape.of(same))) {
                throw new ShapeException(
                        path,
                        first.toString(),
                        other.shape().toString(),
                        "concat takes shapes that differ in channels only");
            }
        }
        return List.of(Spec.activation(inputs.get(0).dtype(), Shape.of(sizes)));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        List<KernelCall<Value>> calls = new ArrayList<>();
        long channel = 0;
        for (Value input : node.inputs()) {
            calls.add(Sizes.channelCopy(
                    "copy_channels", input, 0, node.output(), channel, Sizes.channels(input.shape())));
            channel += Sizes.channels(input.shape());
        }
        return calls;
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        long channel = 0;
        for (Value input : node.inputs()) {
            gradients.propagate(input, new SliceOp(input.shape(), channel), node, gradients.ofOutput(node));
            channel += Sizes.channels(input.shape());
        }
    }
}
