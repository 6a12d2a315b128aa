package dev.tarn.graph.op;

import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;

/** What an operation applies to its result before it writes it. */
public enum Activation {
    NONE,
    RELU;

    KernelCall<Value> addTo(KernelCall<Value> call) {
        return call.set("relu", ordinal());
    }

    String suffix() {
        return this == NONE ? "" : "+relu";
    }
}
