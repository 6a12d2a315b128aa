package dev.tarn.cli;

import dev.tarn.session.SessionOptions;
import dev.tarn.tensor.DType;
import picocli.CommandLine.Option;

/** The number type that a model runs in. */
final class Precision {
    private enum Type {
        F32,
        BF16
    }

    @Option(
            names = "--precision",
            paramLabel = "TYPE",
            description = "Of activations and weights: f32, or bf16, which is faster and less exact (default: f32).")
    private Type type = Type.F32;

    boolean isBf16() {
        return type == Type.BF16;
    }

    SessionOptions applyTo(SessionOptions options) {
        return options.withPrecision(DType.valueOf(type.name()));
    }
}
