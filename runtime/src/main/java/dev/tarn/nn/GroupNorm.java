package dev.tarn.nn;

import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.GroupNormOp;
import dev.tarn.tensor.Shape;
import java.util.Locale;

/**
 * Group normalisation (Wu and He, 2018) of images (N, C, H, W) or rows (N, C): each example by itself, with one mean and one
 * biased variance for each group of C / groups neighbouring channels and all their pixels.
 *
 * <pre>y = (x - mean) / sqrt(var + eps) * weight + bias</pre>
 *
 * Training and inference compute the same bits, and an example's result does not depend on its batch. Parameters: {@code
 * weight}, {@code bias}, each (C). A session refuses a shape of another number of channels.
 */
public sealed class GroupNorm extends Layer permits LayerNorm, InstanceNorm2d {
    private static final double EPS = 1e-5;

    private final GroupNormOp op;
    private final Parameter weight;
    private final Parameter bias;

    /** With eps 1e-5. */
    public GroupNorm(long groups, long channels) {
        this(groups, channels, EPS);
    }

    /**
     * @param eps added to the variance, inside the root
     * @throws IllegalArgumentException if the groups do not divide the channels; the message says what nearby would fit
     */
    public GroupNorm(long groups, long channels, double eps) {
        if (groups < 1 || channels < groups || !(eps > 0)) {
            throw new IllegalArgumentException(
                    "normalisation takes 1 to C groups of C channels and eps > 0, not %d groups of %d channels and %s"
                            .formatted(groups, channels, eps));
        }
        if (channels % groups != 0) {
            throw new IllegalArgumentException(misfit(groups, channels));
        }
        this.op = new GroupNormOp(groups, eps, Activation.NONE);
        this.weight = parameter("weight", Shape.of(channels), Role.BIAS, Initializer.constant(1));
        this.bias = parameter("bias", Shape.of(channels), Role.BIAS, Initializer.constant(0));
    }

    private static String misfit(long groups, long channels) {
        long fewer = groups;
        while (channels % fewer != 0) {
            fewer--;
        }
        long more = groups;
        while (channels % more != 0) {
            more++;
        }
        long whole = channels / groups * groups;
        return String.format(
                Locale.ROOT,
                "%d channels do not fit %d groups: %d / %d = %.2f; what fits: %d or %d groups, %d or %d channels",
                channels,
                groups,
                channels,
                groups,
                channels / (double) groups,
                fewer,
                more,
                whole,
                whole + groups);
    }

    @Override
    public Value forward(Value x) {
        return x.apply(op, label(), x.graph().parameter(weight), x.graph().parameter(bias));
    }
}
