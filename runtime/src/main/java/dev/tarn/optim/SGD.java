package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/**
 * Stochastic gradient descent, x = x - rate * g, or with momentum m (Sutskever et al., "On the importance of
 * initialization and momentum in deep learning", 2013):
 *
 * <pre>
 *                                           plain               with Nesterov's look-ahead
 * rate outside     v = m * v + g            x = x - rate * v    x = x - rate * (g + m * v)
 * rate inside      v = m * v - rate * g     x = x + v           x = x - m * (old v) + (1 + m) * v
 * </pre>
 *
 * With a constant rate both give the same steps; after a change of the rate the velocity goes on at the old rate
 * where it is inside, at the new one where it is outside. A constant gradient ends at the speed rate * g / (1 - m):
 * 10 times that of plain descent for m = 0.9.
 *
 * <p>Nesterov's method takes its gradient at y = x + m * v. The parameters here are that y (the change of variables
 * that is usual since 2013), so that a step needs one forward pass at one place; the textbook's x is y - m * v with
 * the rate inside, y + rate * m * v with it outside.
 */
public record SGD(double momentum, Velocity velocity, LookAhead lookAhead, List<Group> groups, Clipping clipping)
        implements Optimizer {
    /** Whether the velocity has the learning rate in it. */
    public enum Velocity {
        RATE_OUTSIDE,
        RATE_INSIDE
    }

    /** Which gradient the step follows. */
    public enum LookAhead {
        NONE,
        NESTEROV
    }

    private static final String VELOCITY = "velocity";

    public SGD {
        Checks.share("momentum", momentum);
        if (lookAhead == LookAhead.NESTEROV && momentum == 0) {
            throw new IllegalArgumentException("Nesterov's look-ahead needs momentum; call momentum(0.9) first");
        }
        groups = List.copyOf(groups);
    }

    /** Without momentum. */
    public SGD() {
        this(0, Velocity.RATE_OUTSIDE, LookAhead.NONE, List.of(), Clipping.NONE);
    }

    public SGD momentum(double value) {
        return new SGD(value, velocity, lookAhead, groups, clipping);
    }

    /** Takes the rate into the velocity. */
    public SGD rateInside() {
        return new SGD(momentum, Velocity.RATE_INSIDE, lookAhead, groups, clipping);
    }

    /** Follows the gradient one step ahead along the velocity. */
    public SGD nesterov() {
        return new SGD(momentum, velocity, LookAhead.NESTEROV, groups, clipping);
    }

    /** L2 for the weights of all layers, in place of other groups: {@code with(Group.all().l2(strength))}. */
    public SGD weightDecay(double strength) {
        return with(Group.all().l2(strength));
    }

    @Override
    public SGD with(Group... others) {
        return new SGD(momentum, velocity, lookAhead, List.of(others), clipping);
    }

    @Override
    public SGD clipped(Clipping how) {
        return new SGD(momentum, velocity, lookAhead, groups, how);
    }

    @Override
    public List<String> state() {
        return momentum == 0 ? List.of() : List.of(VELOCITY);
    }

    @Override
    public KernelCall<String> update(DType dtype, Group group, long elementCount) {
        if (momentum == 0) {
            return group.call("sgd_update", dtype, elementCount);
        }
        return group.call("momentum_update", dtype, elementCount)
                .set("momentum", momentum)
                .set("nesterov", lookAhead.ordinal())
                .set("rate_inside", velocity.ordinal())
                .set("velocity", VELOCITY);
    }
}
