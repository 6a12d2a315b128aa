package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/**
 * Adam (Kingma and Ba, 2015), with bias correction; t counts steps from 1 and is part of a checkpoint.
 *
 * <pre>
 * v = beta1 * v + (1 - beta1) * g
 * r = beta2 * r + (1 - beta2) * g^2
 * x = x - rate * (v / (1 - beta1^t)) / (sqrt(r / (1 - beta2^t)) + epsilon)
 * </pre>
 *
 * L2 of a group goes through both moments; {@link #adamW()} decays beside them, which differs.
 */
public record Adam(double beta1, double beta2, double epsilon, List<Group> groups, Clipping clipping)
        implements Optimizer {
    private static final String FIRST = "first_moment";
    private static final String SECOND = "second_moment";

    public Adam {
        Checks.share("beta1", beta1);
        Checks.share("beta2", beta2);
        Checks.notNegative("epsilon", epsilon);
        groups = List.copyOf(groups);
    }

    /** With betas 0.9 and 0.999, and epsilon 1e-8. A rate of 1e-3 is a good start. */
    public Adam() {
        this(0.9, 0.999, 1e-8, List.of(), Clipping.NONE);
    }

    /** AdamW (Loshchilov and Hutter, 2019): Adam with decoupled decay of 0.01 for all weights. */
    public static Adam adamW() {
        return new Adam().with(Group.all().decoupledDecay(0.01));
    }

    public Adam betas(double first, double second) {
        return new Adam(first, second, epsilon, groups, clipping);
    }

    /** Outside the root; 1e-8 and 1e-7 are in use. */
    public Adam epsilon(double value) {
        return new Adam(beta1, beta2, value, groups, clipping);
    }

    @Override
    public Adam with(Group... others) {
        return new Adam(beta1, beta2, epsilon, List.of(others), clipping);
    }

    @Override
    public Adam clipped(Clipping how) {
        return new Adam(beta1, beta2, epsilon, groups, how);
    }

    @Override
    public List<String> state() {
        return List.of(FIRST, SECOND);
    }

    @Override
    public KernelCall<String> update(DType dtype, Group group, long elementCount) {
        return group.call("adam_update", dtype, elementCount)
                .set("momentum", beta1)
                .set("keep", beta2)
                .set("epsilon", epsilon)
                .set("step", STEP)
                .set("velocity", FIRST)
                .set("squares", SECOND);
    }
}
