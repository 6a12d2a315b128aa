package dev.tarn.graph.op;

import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/** The same numbers in another type: F32 rounded to BF16, or BF16 as F32. For inference, so it has no backward. */
public record ConvertOp(DType to) implements Op {
    @Override
    public String name() {
        return to == DType.BF16 ? "convert_from_f32" : "convert_to_f32";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        if (x.dtype() != (to == DType.BF16 ? DType.F32 : DType.BF16)) {
            throw new IllegalArgumentException("%s: %s is not converted to %s".formatted(path, x.dtype(), to));
        }
        return List.of(Spec.activation(to, x.shape()));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(KernelCall.<Value>of(name(), DType.BF16)
                .set("count", Sizes.count(node.output().shape()))
                .set("a", node.input(0))
                .set("out", node.output()));
    }
}
