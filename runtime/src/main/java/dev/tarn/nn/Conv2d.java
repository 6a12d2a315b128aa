package dev.tarn.nn;

import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.nn.init.He;
import dev.tarn.tensor.Shape;
import org.jspecify.annotations.Nullable;

/**
 * 2-D convolution (cross-correlation, as everywhere in the field): (N, in, H, W) to (N, out, OH, OW), with OH and OW as
 * {@link Window} says.
 *
 * <pre>y[n,o,i,j] = b[o] + sum_{c,k,l} x[n, c, i*stride + k*dilation - padding, j*stride + l*dilation - padding] * w[o,c,k,l]</pre>
 *
 * Parameters: {@code weight} (out, in/groups, KH, KW), {@code bias} (out).
 */
public final class Conv2d extends Layer {
    private final Window window;
    private final long groups;
    private final Parameter weight;
    private final @Nullable Parameter bias;

    /** A convolution with a bias. */
    public Conv2d(long in, long out, Window window) {
        this(in, out, window, Bias.LEARNED);
    }

    public Conv2d(long in, long out, Window window, Bias bias) {
        this(in, out, window, bias, 1);
    }

    public Conv2d(long in, long out, Window window, Bias bias, long groups) {
        this(in, out, window, bias, groups, He.normal());
    }

    /**
     * @param groups channels fall into that many groups that do not see each other; {@code in} for a depthwise convolution
     * @param initializer of the weight; biases start at zero
     * @throws IllegalArgumentException if the groups do not divide the channels
     */
    public Conv2d(long in, long out, Window window, Bias bias, long groups, Initializer initializer) {
        if (in < 1 || out < 1 || groups < 1 || in % groups != 0 || out % groups != 0) {
            throw new IllegalArgumentException(
                    "a convolution of %d to %d channels cannot have %d groups".formatted(in, out, groups));
        }
        this.window = window;
        this.groups = groups;
        Shape shape = Shape.of(
                out, in / groups, window.rows().kernel(), window.columns().kernel());
        this.weight = parameter("weight", shape, Role.WEIGHT, groups, initializer);
        this.bias = bias == Bias.NONE ? null : parameter("bias", Shape.of(out), Role.BIAS, Initializer.constant(0));
    }

    @Override
    public Value forward(Value x) {
        Value y = x.apply(new Conv2dOp(window, groups), label(), x.graph().parameter(weight));
        return bias == null
                ? y
                : y.apply(new BiasOp(Activation.NONE), label(), x.graph().parameter(bias));
    }
}
