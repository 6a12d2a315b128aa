package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import java.util.List;

/** Channels of zeros before and after those of the input: (N, C, H, W) to (N, before + C + after, H, W). */
public record PadChannelsOp(long before, long after) implements Op {
    public PadChannelsOp {
        if (before < 0 || after < 0) {
            throw new IllegalArgumentException(
                    "channels are padded by a number that is not negative, not %d and %d".formatted(before, after));
        }
    }

    @Override
    public String name() {
        return "pad_channels";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape shape = inputs.get(0).shape();
        Sizes.requireImagesOrRows(shape, path);
        long[] sizes = shape.toArray();
        sizes[1] += before + after;
        return List.of(Spec.activation(inputs.get(0).dtype(), Shape.of(sizes)));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        Value input = node.input(0);
        return List.of(
                Sizes.channelCopy("pad_channels", input, 0, node.output(), before, Sizes.channels(input.shape())));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value input = node.input(0);
        gradients.propagate(input, new SliceOp(input.shape(), before), node, gradients.ofOutput(node));
    }
}
