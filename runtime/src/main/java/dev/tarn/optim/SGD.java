package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/**
 * Stochastic gradient descent with momentum, the rate outside the velocity:
 *
 * <pre>
 * d = gradient + weightDecay * w
 * v = momentum * v + d
 * w = w - rate * v                      or, with Nesterov's look-ahead, w - rate * (d + momentum * v)
 * </pre>
 *
 * Weight decay is L2 through the gradient and applies to weights only. Immutable; each setter returns another optimizer.
 */
public final class SGD implements Optimizer {
    /** Which gradient the step follows. */
    private enum LookAhead {
        NONE,
        NESTEROV
    }

    private static final String VELOCITY = "velocity";

    private final double momentum;
    private final double weightDecay;
    private final LookAhead lookAhead;

    /** Without momentum and weight decay. */
    public SGD() {
        this(0, 0, LookAhead.NONE);
    }

    private SGD(double momentum, double weightDecay, LookAhead lookAhead) {
        if (!(momentum >= 0 && momentum < 1)) {
            throw new IllegalArgumentException("momentum is in [0, 1), not " + momentum);
        }
        if (!(weightDecay >= 0 && weightDecay < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("weight decay is finite and not negative, not " + weightDecay);
        }
        if (lookAhead == LookAhead.NESTEROV && momentum == 0) {
            throw new IllegalArgumentException("Nesterov's look-ahead needs momentum; call momentum(0.9) first");
        }
        this.momentum = momentum;
        this.weightDecay = weightDecay;
        this.lookAhead = lookAhead;
    }

    public SGD momentum(double value) {
        return new SGD(value, weightDecay, lookAhead);
    }

    public SGD weightDecay(double value) {
        return new SGD(momentum, value, lookAhead);
    }

    /** Follows the gradient one step ahead along the velocity (Nesterov, after a change of variables). */
    public SGD nesterov() {
        return new SGD(momentum, weightDecay, LookAhead.NESTEROV);
    }

    @Override
    public List<String> state() {
        return momentum == 0 ? List.of() : List.of(VELOCITY);
    }

    @Override
    public KernelCall<String> update(DType dtype, Decay decay, long elementCount) {
        return KernelCall.<String>of("sgd_update", dtype)
                .once()
                .set("count", elementCount)
                .set("nesterov", lookAhead.ordinal())
                .set("momentum", momentum)
                .set("weight_decay", decay == Decay.APPLIES ? weightDecay : 0.0)
                .set("rate", RATE)
                .set("param", PARAMETERS)
                .set("grad", GRADIENTS)
                .set("velocity", momentum == 0 ? null : VELOCITY);
    }

    /** {@code SGD(momentum=0.9, weightDecay=5.0E-4, nesterov)} */
    @Override
    public String toString() {
        return "SGD(momentum=%s, weightDecay=%s%s)"
                .formatted(momentum, weightDecay, lookAhead == LookAhead.NESTEROV ? ", nesterov" : "");
    }
}
