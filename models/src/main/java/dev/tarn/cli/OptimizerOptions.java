package dev.tarn.cli;

import dev.tarn.optim.AdaGrad;
import dev.tarn.optim.Adam;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.RMSProp;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.session.Recipe;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** The optimizer, its details, each of which belongs to some of them and is refused beside others, and its rate. */
final class OptimizerOptions {
    /** The optimizers by name. */
    enum Name {
        SGD,
        MOMENTUM,
        NESTEROV,
        ADAGRAD,
        RMSPROP,
        RMSPROP_NESTEROV,
        ADAM,
        ADAMW;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }
    }

    /** Where the learning rate of SGD is. */
    enum VelocityName {
        OUTSIDE,
        INSIDE
    }

    private static final double MOMENTUM = 0.9;
    private static final Set<Name> DESCENT = EnumSet.of(Name.SGD, Name.MOMENTUM, Name.NESTEROV);
    private static final Set<Name> RMS = EnumSet.of(Name.RMSPROP, Name.RMSPROP_NESTEROV);
    private static final Set<Name> ADAMS = EnumSet.of(Name.ADAM, Name.ADAMW);
    private static final Set<Name> ADAPTIVE = EnumSet.range(Name.ADAGRAD, Name.ADAMW);

    @Option(
            names = "--optimizer",
            split = ",",
            hideParamSyntax = true,
            paramLabel = "NAME",
            description = "sgd, momentum, nesterov, adagrad, rmsprop, rmsprop-nesterov, adam or adamw (default: the"
                    + " model's: nesterov).")
    private List<Name> names = List.of();

    @Option(
            names = "--lr",
            split = ",",
            hideParamSyntax = true,
            paramLabel = "RATE",
            description = "Learning rate at the start (default: the model's; adagrad 0.01, rmsprop and adam 0.001).")
    private List<Double> rates = List.of();

    @Option(
            names = "--schedule",
            paramLabel = "TEXT",
            description = {
                "Learning rate over the run (default: the model's):",
                "constant",
                "cosine             half a cosine down to 0",
                "step               a tenth after each third",
                "step=30:0.1        times 0.1 every 30 epochs",
                "step=30/60/80:0.1  times 0.1 at these epochs",
                "exponential=K      times exp(-K * epoch)",
                "inverse=K          divided by 1 + K * epoch",
                "plateau=0.5        halved without progress",
                "and behind it, as in cosine,warmup=5:",
                "warmup=5           grows over 5 epochs first",
                "unit=step          counts steps, not epochs",
                "patience=5, cooldown=0, min=0  of plateau"
            })
    private @Nullable String schedule;

    @Option(
            names = "--momentum",
            paramLabel = "M",
            description = "Of sgd (default 0), momentum, nesterov and rmsprop-nesterov (default 0.9).")
    private @Nullable Double momentum;

    @Option(
            names = "--nesterov",
            negatable = true,
            description = "Whether sgd or momentum follows the gradient ahead along the velocity.")
    private @Nullable Boolean nesterov;

    @Option(
            names = "--velocity",
            paramLabel = "WHERE",
            description = "outside (default) or inside: whether the velocity of momentum has the learning rate in it.")
    private @Nullable VelocityName velocity;

    @Option(
            names = "--rho",
            paramLabel = "R",
            description = "Of rmsprop: share of squares that is kept (default 0.99).")
    private @Nullable Double rho;

    @Option(names = "--beta1", paramLabel = "B", description = "Of adam: share of the first moment (default 0.9).")
    private @Nullable Double beta1;

    @Option(names = "--beta2", paramLabel = "B", description = "Of adam: share of the second moment (default 0.999).")
    private @Nullable Double beta2;

    @Option(
            names = "--epsilon",
            paramLabel = "E",
            description = "Added to the root (default: adam 1e-8, adagrad and rmsprop 1e-7).")
    private @Nullable Double epsilon;

    @Option(names = "--clip-norm", paramLabel = "T", description = "Scales gradients down to a norm of T all together.")
    private @Nullable Double clipNorm;

    @Option(names = "--clip-value", paramLabel = "V", description = "Takes each element of gradients to [-V, V].")
    private @Nullable Double clipValue;

    /**
     * An optimizer, without groups, and the learning rate at the start of a run.
     *
     * @param label what was said: {@code adam, lr 0.001}
     */
    record Choice(String label, Optimizer optimizer, boolean isAdamW, double rate) {}

    /** Every optimizer with every rate that was named, each the model's own where none was. */
    List<Choice> choices(Recipe own) {
        List<Choice> choices = new ArrayList<>();
        names.forEach(name -> addChoices(choices, own, name));
        if (names.isEmpty()) {
            addChoices(choices, own, null);
        }
        return choices;
    }

    private void addChoices(List<Choice> choices, Recipe own, @Nullable Name name) {
        Optimizer optimizer = clipped(over(own.optimizer(), name));
        for (double rate : rates.isEmpty() ? List.of(usualRate(name, own.rate())) : rates) {
            String label = name == null ? "lr " + rate : "%s, lr %s".formatted(name, rate);
            choices.add(new Choice(label, optimizer, name == Name.ADAMW, rate));
        }
    }

    private static double usualRate(@Nullable Name name, double own) {
        return name == null || DESCENT.contains(name) ? own : name == Name.ADAGRAD ? 0.01 : 1e-3;
    }

    /** The schedule, where the model's own recipe has another. */
    Schedule schedule(Schedule own) {
        return schedule == null ? own : Schedule.parse(schedule);
    }

    private Optimizer clipped(Optimizer optimizer) {
        if (clipNorm != null && clipValue != null) {
            throw new UsageException("gradients are clipped by --clip-norm or by --clip-value, not by both");
        }
        if (clipNorm != null) {
            return optimizer.clipped(Clipping.norm(clipNorm));
        }
        return clipValue != null ? optimizer.clipped(Clipping.value(clipValue)) : optimizer;
    }

    private Optimizer over(Optimizer own, @Nullable Name name) {
        Name chosen = name == null ? Name.NESTEROV : name;
        requireFits("--momentum", momentum, chosen, DESCENT, Name.RMSPROP_NESTEROV);
        requireFits("--nesterov", nesterov, chosen, DESCENT);
        requireFits("--velocity", velocity, chosen, DESCENT);
        requireFits("--rho", rho, chosen, RMS);
        requireFits("--beta1", beta1, chosen, ADAMS);
        requireFits("--beta2", beta2, chosen, ADAMS);
        requireFits("--epsilon", epsilon, chosen, ADAPTIVE);
        return switch (chosen) {
            case SGD -> descent(new SGD());
            case MOMENTUM -> descent(new SGD().momentum(MOMENTUM));
            case NESTEROV ->
                descent(
                        name == null && own instanceof SGD sgd
                                ? sgd
                                : new SGD().momentum(MOMENTUM).nesterov());
            case ADAGRAD -> new AdaGrad().epsilon(or(epsilon, new AdaGrad().epsilon()));
            case RMSPROP -> rmsProp();
            case RMSPROP_NESTEROV -> rmsProp().nesterov(or(momentum, MOMENTUM));
            case ADAM, ADAMW -> {
                Adam adam = new Adam();
                yield adam.betas(or(beta1, adam.beta1()), or(beta2, adam.beta2()))
                        .epsilon(or(epsilon, adam.epsilon()));
            }
        };
    }

    private static void requireFits(
            String option, @Nullable Object value, Name chosen, Set<Name> owners, Name... more) {
        Set<Name> all = EnumSet.copyOf(owners);
        all.addAll(Arrays.asList(more));
        if (value != null && !all.contains(chosen)) {
            throw new UsageException("%s belongs to %s, not to %s; leave it out or choose another --optimizer"
                    .formatted(option, all.stream().map(Name::toString).collect(Collectors.joining(", ")), chosen));
        }
    }

    private SGD descent(SGD base) {
        double m = or(momentum, base.momentum());
        boolean ahead = nesterov == null ? base.lookAhead() == SGD.LookAhead.NESTEROV && m > 0 : nesterov;
        if (ahead && m == 0) {
            throw new UsageException("--nesterov looks ahead along a velocity; add --momentum 0.9");
        }
        SGD sgd = new SGD().momentum(m);
        sgd = ahead ? sgd.nesterov() : sgd;
        return velocity == VelocityName.INSIDE ? sgd.rateInside() : sgd;
    }

    private RMSProp rmsProp() {
        RMSProp own = new RMSProp();
        return own.rho(or(rho, own.rho())).epsilon(or(epsilon, own.epsilon()));
    }

    private static double or(@Nullable Double given, double standard) {
        return given == null ? standard : given;
    }
}
