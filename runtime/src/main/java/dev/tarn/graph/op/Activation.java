package dev.tarn.graph.op;

import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import java.util.Locale;

/**
 * A function of each element that an operation can apply to its result before it writes it. A NaN passes through. At a kink
 * the gradient is the one of the lower side, 0 for ReLU.
 *
 * @param kind which function
 * @param alpha its parameter, 0 where it has none
 */
public record Activation(Kind kind, double alpha) {
    /** The functions, in the order of the kernels' codes. */
    public enum Kind {
        NONE,
        /** max(0, x) */
        RELU,
        /** min(max(0, x), 6) */
        RELU6,
        /** x, below zero alpha x */
        LEAKY_RELU,
        /** 1 / (1 + exp(-x)) */
        SIGMOID,
        /** The hyperbolic tangent. */
        TANH,
        /** x, below zero alpha (exp(x) - 1) */
        ELU,
        /** ELU with alpha 1.6733, times 1.0507 */
        SELU,
        /** x / (1 + exp(-alpha x)) */
        SWISH,
        /** alpha x */
        SCALE
    }

    public static final Activation NONE = new Activation(Kind.NONE, 0);
    public static final Activation RELU = new Activation(Kind.RELU, 0);
    public static final Activation RELU6 = new Activation(Kind.RELU6, 0);
    public static final Activation SIGMOID = new Activation(Kind.SIGMOID, 0);
    public static final Activation TANH = new Activation(Kind.TANH, 0);
    public static final Activation SELU = new Activation(Kind.SELU, 0);

    public Activation {
        boolean fits = switch (kind) {
            case LEAKY_RELU -> alpha >= 0 && alpha < 1;
            case ELU -> alpha >= 0 && alpha < Double.POSITIVE_INFINITY;
            case SWISH, SCALE -> Double.isFinite(alpha);
            default -> alpha == 0;
        };
        if (!fits) {
            throw new IllegalArgumentException(
                    "%s cannot have alpha %s; %s".formatted(label(kind), alpha, range(kind)));
        }
    }

    private static String range(Kind kind) {
        return switch (kind) {
            case LEAKY_RELU -> "the slope below zero is in [0, 1)";
            case ELU -> "it is finite and not negative";
            case SWISH, SCALE -> "it is finite";
            default -> "it has no parameter";
        };
    }

    /** x, below zero slope * x. */
    public static Activation leakyRelu(double slope) {
        return new Activation(Kind.LEAKY_RELU, slope);
    }

    /** x, below zero alpha (exp(x) - 1). */
    public static Activation elu(double alpha) {
        return new Activation(Kind.ELU, alpha);
    }

    /** x / (1 + exp(-beta x)). */
    public static Activation swish(double beta) {
        return new Activation(Kind.SWISH, beta);
    }

    /** factor * x. */
    public static Activation scale(double factor) {
        return new Activation(Kind.SCALE, factor);
    }

    public boolean isNone() {
        return kind == Kind.NONE;
    }

    /** Whether its gradient follows from its result, so that the result may overwrite what it came from. */
    boolean resultTellsGradient() {
        return kind != Kind.SWISH;
    }

    /** Whether its gradient is 1 or 0, so that a bit for each element tells it. */
    public boolean passesOrNot() {
        return kind == Kind.RELU || kind == Kind.RELU6;
    }

    KernelCall<Value> addTo(KernelCall<Value> call) {
        return call.set("activation", kind.ordinal()).set("alpha", alpha);
    }

    /** {@code leaky_relu} */
    public String label() {
        return label(kind);
    }

    private static String label(Kind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    String suffix() {
        return isNone() ? "" : "+" + label();
    }
}
