package dev.tarn.nn;

import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;

/**
 * The exponential linear unit (Clevert and others, 2016), elementwise, any shape: tends to -alpha, so that means come near zero.
 *
 * <pre>y = x > 0 ? x : alpha (exp(x) - 1)          dy/dx = x > 0 ? 1 : y + alpha</pre>
 */
public final class ELU extends Layer {
    private final Activation activation;

    /** With alpha 1, where the slope has no jump. */
    public ELU() {
        this(1);
    }

    /**
     * @param alpha finite, not negative
     * @throws IllegalArgumentException if it is not
     */
    public ELU(double alpha) {
        activation = Activation.elu(alpha);
    }

    @Override
    public Value forward(Value x) {
        return x.apply(new ActivationOp(activation), label());
    }
}
