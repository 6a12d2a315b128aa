package dev.tarn.cli;

import dev.tarn.optim.Group;
import dev.tarn.optim.Optimizer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What holds weights back: weights, not biases nor scale and shift of normalisation. */
final class RegularizationOptions {
    private static final double ADAMW_DECAY = 0.01;

    @Option(
            names = {"--l2", "--weight-decay"},
            paramLabel = "D",
            description = "Adds D/2 * w^2 to the loss (default: the model's; adamw 0).")
    private @Nullable Double l2;

    @Option(names = "--l1", paramLabel = "D", description = "Adds D * |w| to the loss.")
    private double l1;

    @Option(
            names = "--decoupled-decay",
            paramLabel = "D",
            description = "Takes rate * D * w off each weight, beside the step (default: 0; adamw 0.01).")
    private @Nullable Double decoupledDecay;

    @Option(
            names = "--max-norm",
            paramLabel = "C",
            description = "Scales the weights into an output down to a norm of C, after each step.")
    private double maxNorm = Double.POSITIVE_INFINITY;

    /** An optimizer with what was asked for, and otherwise with what the model's own recipe has. */
    Optimizer apply(Optimizer optimizer, Optimizer own, boolean isAdamW) {
        Group model = own.groups().isEmpty() ? Group.all() : own.groups().getFirst();
        double decay = isAdamW ? ADAMW_DECAY : model.decoupledDecay();
        Group group = Group.all()
                .l2(l2 != null ? l2 : isAdamW ? 0 : model.l2())
                .l1(l1)
                .decoupledDecay(decoupledDecay == null ? decay : decoupledDecay)
                .maxNorm(maxNorm);
        return optimizer.with(group);
    }
}
