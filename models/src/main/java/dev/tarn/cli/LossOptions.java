package dev.tarn.cli;

import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.nn.loss.HingeLoss;
import dev.tarn.nn.loss.Loss;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What training makes small, where it differs from the model's own recipe. */
final class LossOptions {
    private enum Name {
        CROSS_ENTROPY,
        HINGE;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    @Option(
            names = "--loss",
            paramLabel = "NAME",
            description =
                    "cross-entropy (of softmax) or hinge (multiclass, margin 1) (default: the model's, cross-entropy).")
    private @Nullable Name name;

    @Option(
            names = "--label-smoothing",
            paramLabel = "S",
            description =
                    "Share of each target of cross-entropy that is spread over all classes (default: the model's, 0).")
    private @Nullable Double smoothing;

    @Option(
            names = "--class-weights",
            paramLabel = "W,...",
            split = ",",
            description = "How much an image of each class counts in cross-entropy (default: all alike).")
    private double @Nullable [] classWeights;

    Loss over(Loss own) {
        boolean detailed = smoothing != null || classWeights != null;
        if (name == Name.HINGE) {
            if (detailed) {
                throw new UsageException("--label-smoothing and --class-weights belong to cross-entropy, not to hinge");
            }
            return new HingeLoss();
        }
        if (name == null && !detailed) {
            return own;
        }
        var loss = new CrossEntropyLoss(smoothing == null ? 0 : smoothing);
        return classWeights == null ? loss : loss.withClassWeights(classWeights);
    }
}
