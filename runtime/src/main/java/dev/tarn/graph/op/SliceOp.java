package dev.tarn.graph.op;

import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import java.util.List;

/** Some neighbouring channels of an input, from {@code firstChannel} on: the backward of concat and of padding. */
record SliceOp(Shape part, long firstChannel) implements Op {
    @Override
    public String name() {
        return "slice";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        return List.of(Spec.activation(inputs.get(0).dtype(), part));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(Sizes.channelCopy(
                "copy_channels", node.input(0), firstChannel, node.output(), 0, Sizes.channels(part)));
    }
}
