package dev.tarn.nn;

import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.ParametricOp;
import dev.tarn.tensor.Shape;
import org.jspecify.annotations.Nullable;

/**
 * Swish (Ramachandran and others, "Searching for activation functions", 2017), with beta 1 also called SiLU: any shape, same shape
 * out. Beta 0 is x / 2, and with beta growing it becomes ReLU.
 *
 * <pre>y = x s          dy/dx = s (1 + beta x (1 - s))          dy/dbeta = x^2 s (1 - s)          with s = sigmoid(beta x)</pre>
 *
 * Parameter, where it is learned: {@code beta} (1) or (C), exempt from weight decay; it takes (N, C, H, W) or (N, C) then.
 */
public final class Swish extends Layer {
    private final Activation fixed;
    private final @Nullable Parameter beta;

    /** With beta 1. */
    public Swish() {
        this(1);
    }

    /** With a fixed, finite beta. */
    public Swish(double beta) {
        this.fixed = Activation.swish(beta);
        this.beta = null;
    }

    private Swish(long channels, double start) {
        this.fixed = Activation.swish(start);
        this.beta = parameter("beta", Shape.of(channels), Role.BIAS, Initializer.constant(start));
    }

    /** With a learned beta for each of so many channels, or 1 for all of them together; learning starts at 1. */
    public static Swish learned(long channels) {
        return new Swish(channels, 1);
    }

    @Override
    public Value forward(Value x) {
        return beta == null
                ? x.apply(new ActivationOp(fixed), label())
                : x.apply(
                        new ParametricOp(Activation.Kind.SWISH),
                        label(),
                        x.graph().parameter(beta));
    }
}
