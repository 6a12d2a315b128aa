package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;

/**
 * ReLU with a slope below zero, which keeps units from dying (Maas and others, "Rectifier nonlinearities improve neural network
 * acoustic models", 2013); elementwise, any shape. Slope 0 is {@link ReLU} to the bit.
 *
 * <pre>y = x > 0 ? x : slope x          dy/dx = x > 0 ? 1 : slope</pre>
 */
public final class LeakyReLU extends Layer {
    private final Activation activation;

    /** With the slope 0.01. */
    public LeakyReLU() {
        this(0.01);
    }

    /**
     * @param slope below zero, in [0, 1)
     * @throws IllegalArgumentException if the slope is outside of that range
     */
    public LeakyReLU(double slope) {
        activation = Activation.leakyRelu(slope);
    }

    @Override
    public Value forward(Value x) {
        return x.apply(new ActivationOp(activation), label());
    }
}
