package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/**
 * RMSProp (Tieleman and Hinton, 2012): AdaGrad with a running mean of squares that forgets.
 *
 * <pre>
 * r = rho * r + (1 - rho) * g^2
 * x = x - rate * g / (sqrt(r) + epsilon)
 * </pre>
 *
 * With Nesterov momentum m (Goodfellow, Bengio and Courville, "Deep Learning", algorithm 8.6) the rate is inside the
 * velocity,
 *
 * <pre>
 * v = m * v - rate * g / (sqrt(r) + epsilon)
 * x = x - m * (old v) + (1 + m) * v
 * </pre>
 *
 * and x stands for theta + m * v, where the algorithm takes its gradient (see {@link SGD}). Its printed form has
 * epsilon 0.
 */
public record RMSProp(double rho, double epsilon, double momentum, List<Group> groups, Clipping clipping)
        implements Optimizer {
    private static final String SQUARES = "squares";
    private static final String VELOCITY = "velocity";

    public RMSProp {
        Checks.share("rho", rho);
        Checks.notNegative("epsilon", epsilon);
        Checks.share("momentum", momentum);
        groups = List.copyOf(groups);
    }

    /** With rho 0.99, epsilon 1e-7 and no momentum. */
    public RMSProp() {
        this(0.99, 1e-7, 0, List.of(), Clipping.NONE);
    }

    /** How much of the mean of squares is kept at each step. */
    public RMSProp rho(double value) {
        return new RMSProp(value, epsilon, momentum, groups, clipping);
    }

    public RMSProp epsilon(double value) {
        return new RMSProp(rho, value, momentum, groups, clipping);
    }

    /** With Nesterov momentum. */
    public RMSProp nesterov(double value) {
        return new RMSProp(rho, epsilon, value, groups, clipping);
    }

    @Override
    public RMSProp with(Group... others) {
        return new RMSProp(rho, epsilon, momentum, List.of(others), clipping);
    }

    @Override
    public RMSProp clipped(Clipping how) {
        return new RMSProp(rho, epsilon, momentum, groups, how);
    }

    @Override
    public List<String> state() {
        return momentum == 0 ? List.of(SQUARES) : List.of(SQUARES, VELOCITY);
    }

    @Override
    public KernelCall<String> update(DType dtype, Group group, long elementCount) {
        String op = momentum == 0 ? "rmsprop_update" : "rmsprop_nesterov_update";
        return group.call(op, dtype, elementCount)
                .set("keep", rho)
                .set("epsilon", epsilon)
                .set("momentum", momentum)
                .set("squares", SQUARES)
                .set("velocity", momentum == 0 ? null : VELOCITY);
    }
}
