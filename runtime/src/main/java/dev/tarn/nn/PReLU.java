package dev.tarn.nn;

import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ParametricOp;
import dev.tarn.tensor.Shape;

/**
 * Leaky ReLU whose slope is learned (He and others, "Delving deep into rectifiers", 2015): (N, C, H, W) or (N, C), same shape out.
 *
 * <pre>y = x > 0 ? x : weight[c] x          dL/dweight[c] = sum over x <= 0 of dL/dy x</pre>
 *
 * Parameter: {@code weight} (C), or (1) for all channels together. Weight decay, which would pull it to ReLU, leaves it out.
 */
public final class PReLU extends Layer {
    private final Parameter weight;

    /** One slope for all channels, which starts at 0.25. */
    public PReLU() {
        this(1);
    }

    /** One slope for each of so many channels; they start at 0.25. */
    public PReLU(long channels) {
        this(channels, 0.25);
    }

    /** @param slope that learning starts from */
    public PReLU(long channels, double slope) {
        weight = parameter("weight", Shape.of(channels), Role.BIAS, Initializer.constant(slope));
    }

    @Override
    public Value forward(Value x) {
        return x.apply(
                new ParametricOp(Activation.Kind.LEAKY_RELU), label(), x.graph().parameter(weight));
    }
}
