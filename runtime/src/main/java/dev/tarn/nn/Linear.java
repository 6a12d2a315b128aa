package dev.tarn.nn;

import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.nn.init.He;
import dev.tarn.tensor.Shape;
import org.jspecify.annotations.Nullable;

/** Fully connected layer y = x W' + b: (N, in) to (N, out). Parameters: {@code weight} (out, in), {@code bias} (out). */
public final class Linear extends Layer {
    private final Parameter weight;
    private final @Nullable Parameter bias;

    /** A linear layer with a bias. */
    public Linear(long in, long out) {
        this(in, out, Bias.LEARNED, He.normal());
    }

    public Linear(long in, long out, Bias bias, Initializer initializer) {
        this.weight = parameter("weight", Shape.of(out, in), Role.WEIGHT, initializer);
        this.bias = bias == Bias.NONE ? null : parameter("bias", Shape.of(out), Role.BIAS, Initializer.constant(0));
    }

    @Override
    public Value forward(Value x) {
        Value y = x.apply(Conv2dOp.linear(), label(), x.graph().parameter(weight));
        return bias == null
                ? y
                : y.apply(new BiasOp(Activation.NONE), label(), x.graph().parameter(bias));
    }
}
