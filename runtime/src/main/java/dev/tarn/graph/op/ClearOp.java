package dev.tarn.graph.op;

import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import java.util.List;

/** Zeros in the shape of the input, which is not read: what operations that add to a gradient start from. */
public record ClearOp() implements Op {
    @Override
    public String name() {
        return "clear";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        return List.of(Spec.like(inputs.get(0)));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        Value zeros = node.output();
        return List.of(
                Sizes.elementwise(KernelCall.of(name(), zeros.dtype()), zeros).set("out", zeros));
    }
}
