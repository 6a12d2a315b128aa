package dev.tarn.nn;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.DropoutOp;
import dev.tarn.nn.init.He;
import dev.tarn.tensor.Shape;

/**
 * A fully connected layer whose weights, not outputs, are dropped (Wan and others, "Regularization of neural networks using
 * DropConnect", 2013): (N, in) to (N, out). One mask M serves a whole batch; inference takes the mean.
 *
 * <pre>training y = x (M * W)' + b, each bit of M set with probability keep          inference y = keep x W' + b</pre>
 *
 * With keep = 1 it is {@link Linear}, to the bit. Parameters: {@code weight} (out, in), {@code bias} (out).
 */
public final class DropConnect extends Layer {
    private final double keep;
    private final Parameter weight;
    private final Parameter bias;

    private DropConnect(double keep, long in, long out) {
        this.keep = Dropout.requireKeep(keep);
        this.weight = parameter("weight", Shape.of(out, in), Role.WEIGHT, He.normal());
        this.bias = parameter("bias", Shape.of(out), Role.BIAS, Initializer.constant(0));
    }

    /**
     * Keeps each weight with this probability.
     *
     * @throws IllegalArgumentException if it is not in (0, 1]
     */
    public static DropConnect keep(double probability, long in, long out) {
        return new DropConnect(probability, in, out);
    }

    /**
     * Drops each weight with this probability.
     *
     * @throws IllegalArgumentException if it is not in [0, 1)
     */
    public static DropConnect drop(double probability, long in, long out) {
        return keep(1 - probability, in, out);
    }

    @Override
    public Value forward(Value x) {
        Graph graph = x.graph();
        Value w = graph.parameter(weight);
        boolean drawn = graph.randomness() == Graph.Randomness.DRAWN;
        if (keep < 1 && drawn) {
            w = w.apply(DropoutOp.plain(keep, graph), label(), graph.step());
        }
        Value y = x.apply(Conv2dOp.linear(), label(), w);
        if (keep < 1 && !drawn) {
            y = y.activate(Activation.scale(keep));
        }
        return y.apply(new BiasOp(Activation.NONE), label(), graph.parameter(bias));
    }
}
