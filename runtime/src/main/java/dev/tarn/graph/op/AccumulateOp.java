package dev.tarn.graph.op;

import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import java.util.List;

/** Adds a gradient that was computed as a value to that of its parameter. Inputs: the value, the parameter's gradient. */
public record AccumulateOp() implements Op {
    @Override
    public String name() {
        return "accumulate";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        return List.of();
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        Value sum = node.input(1);
        return List.of(Sizes.elementwise(KernelCall.of("add", sum.dtype()), sum)
                .set("a", sum)
                .set("b", node.input(0))
                .set("out", sum));
    }
}
