package dev.tarn.optim;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How the learning rate changes over a run of any length, as text:
 *
 * <pre>
 * constant              the same rate always
 * step                  a tenth of the rate after each third of the run
 * step=30:0.1           times 0.1 every 30 epochs
 * step=30/60/80:0.1     times 0.1 at each of these epochs
 * exponential=K         times exp(-K * epoch)
 * inverse=K             divided by 1 + K * epoch
 * cosine                down to zero along half a cosine, step by step
 * plateau=0.5           halved when the validation error stops improving: patience=5, cooldown=0 and min=0 may follow
 * </pre>
 *
 * Further terms after commas: {@code warmup=5} for a rate that grows linearly over the first 5 epochs, step by step,
 * and {@code unit=step} to count steps in place of epochs, counted from 0.
 */
public final class Schedule {
    /** The rate over a run of some steps, as many of which make a unit. */
    @FunctionalInterface
    private interface Curve {
        LearningRate over(double rate, long steps, long unit);
    }

    public static final Schedule CONSTANT = parse("constant");
    public static final Schedule STEP = parse("step");
    public static final Schedule COSINE = parse("cosine");

    private final String text;
    private final Curve curve;
    private final @Nullable Plateau plateau;
    private final long warmup;
    private final boolean countsSteps;

    private Schedule(String text, Map<String, String> terms) {
        this.text = text;
        String unit = terms.getOrDefault("unit", "epoch");
        if (!unit.equals("epoch") && !unit.equals("step")) {
            throw wrong("unit is epoch or step");
        }
        countsSteps = unit.equals("step");
        warmup = whole(terms.getOrDefault("warmup", "0"));
        String name = terms.keySet().iterator().next();
        plateau = name.equals("plateau") ? plateau(terms) : null;
        curve = curve(name, terms.getOrDefault(name, ""));
        List<String> allowed = new ArrayList<>(List.of(name, "unit", "warmup"));
        if (plateau != null) {
            allowed.addAll(List.of("patience", "cooldown", "min"));
        }
        for (String term : terms.keySet()) {
            if (!allowed.contains(term)) {
                throw wrong("it has a term '%s', and %s may have %s"
                        .formatted(term, name, String.join(", ", allowed.subList(1, allowed.size()))));
            }
        }
        curve.over(1, 1, 1); // refuses constants that are none
    }

    /**
     * The schedule of a text, such as {@code cosine,warmup=5}.
     *
     * @throws IllegalArgumentException if it is none; the message says what is wrong
     */
    public static Schedule parse(String text) {
        Map<String, String> terms = new LinkedHashMap<>();
        String lower = text.toLowerCase(Locale.ROOT);
        for (String term : lower.split(",", -1)) {
            String[] parts = term.split("=", 2);
            if (terms.put(parts[0], parts.length < 2 ? "" : parts[1]) != null) {
                throw new IllegalArgumentException("the schedule '%s' says %s twice".formatted(text, parts[0]));
            }
        }
        return new Schedule(lower, terms);
    }

    private Curve curve(String name, String value) {
        return switch (name) {
            case "constant" -> bare(value, (rate, steps, unit) -> LearningRate.constant(rate));
            case "cosine" -> bare(value, (rate, steps, unit) -> LearningRate.cosine(rate, steps));
            case "plateau" -> (rate, steps, unit) -> LearningRate.constant(rate);
            case "step" ->
                value.isEmpty()
                        ? (rate, steps, unit) -> LearningRate.step(rate, 0.1, Math.ceilDiv(steps, 3L))
                        : stepCurve(value);
            case "exponential" -> {
                double k = number(value);
                yield (rate, steps, unit) -> LearningRate.exponential(rate, k).perEpoch(unit);
            }
            case "inverse" -> {
                double k = number(value);
                yield (rate, steps, unit) -> LearningRate.inverse(rate, k).perEpoch(unit);
            }
            default -> throw wrong("it begins with constant, step, exponential, inverse, cosine or plateau");
        };
    }

    private Curve bare(String value, Curve curve) {
        if (!value.isEmpty()) {
            throw wrong("no '%s' belongs there".formatted(value));
        }
        return curve;
    }

    private Curve stepCurve(String value) {
        String[] parts = value.split(":", -1);
        if (parts.length != 2) {
            throw wrong("step is followed by epochs and a factor, as in step=30:0.1 or step=30/60/80:0.1");
        }
        double factor = number(parts[1]);
        long[] at =
                Arrays.stream(parts[0].split("/", -1)).mapToLong(this::whole).toArray();
        return at.length == 1
                ? (rate, steps, unit) -> LearningRate.step(rate, factor, at[0]).perEpoch(unit)
                : (rate, steps, unit) -> LearningRate.steps(rate, factor, at).perEpoch(unit);
    }

    private Plateau plateau(Map<String, String> terms) {
        String factor = terms.getOrDefault("plateau", "");
        return new Plateau(
                factor.isEmpty() ? 0.5 : number(factor),
                whole(terms.getOrDefault("patience", "5")),
                whole(terms.getOrDefault("cooldown", "0")),
                number(terms.getOrDefault("min", "0")));
    }

    private double number(String value) {
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw wrong("'%s' is not a number".formatted(value));
        }
    }

    private long whole(String value) {
        if (!value.matches("[0-9]{1,9}")) {
            throw wrong("'%s' is not a whole number".formatted(value));
        }
        return Long.parseLong(value);
    }

    private IllegalArgumentException wrong(String why) {
        return new IllegalArgumentException("the schedule '%s' is none: %s".formatted(text, why));
    }

    /**
     * The rate of each step of a run, before a {@link #plateau} cuts it.
     *
     * @param rate at its start, or after warm-up
     */
    public LearningRate over(long epochs, long stepsPerEpoch, double rate) {
        long unit = countsSteps ? 1 : stepsPerEpoch;
        LearningRate own = curve.over(rate, epochs * stepsPerEpoch, unit);
        return warmup == 0 ? own : own.warmedUp(warmup * unit);
    }

    /** What cuts the rate after epochs without progress, or null. */
    public @Nullable Plateau plateau() {
        return plateau;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Schedule s && s.text.equals(text);
    }

    @Override
    public int hashCode() {
        return text.hashCode();
    }

    /** The text that {@link #parse} takes. */
    @Override
    public String toString() {
        return text;
    }
}
