package dev.tarn.graph.op;

import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;

/** What an operation applies to its result before it writes it, in the order of the kernels' codes. A NaN passes through. */
public enum Activation {
    NONE(""),
    /** max(0, x) */
    RELU("relu"),
    /** min(max(0, x), 6) */
    RELU6("relu6");

    private final String label;

    Activation(String label) {
        this.label = label;
    }

    KernelCall<Value> addTo(KernelCall<Value> call) {
        return call.set("activation", ordinal());
    }

    /** {@code relu6} */
    String label() {
        return label;
    }

    String suffix() {
        return this == NONE ? "" : "+" + label;
    }
}
