package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/**
 * AdaGrad (Duchi, Hazan and Singer, 2011): steps shrink with the sum of all squared gradients, which never forgets.
 *
 * <pre>
 * r = r + g^2
 * x = x - rate * g / (sqrt(r) + epsilon)
 * </pre>
 */
public record AdaGrad(double epsilon, List<Group> groups, Clipping clipping) implements Optimizer {
    private static final String SQUARES = "squares";

    public AdaGrad {
        Checks.notNegative("epsilon", epsilon);
        groups = List.copyOf(groups);
    }

    /** With epsilon 1e-7. */
    public AdaGrad() {
        this(1e-7, List.of(), Clipping.NONE);
    }

    public AdaGrad epsilon(double value) {
        return new AdaGrad(value, groups, clipping);
    }

    @Override
    public AdaGrad with(Group... others) {
        return new AdaGrad(epsilon, List.of(others), clipping);
    }

    @Override
    public AdaGrad clipped(Clipping how) {
        return new AdaGrad(epsilon, groups, how);
    }

    @Override
    public List<String> state() {
        return List.of(SQUARES);
    }

    @Override
    public KernelCall<String> update(DType dtype, Group group, long elementCount) {
        return group.call("adagrad_update", dtype, elementCount)
                .set("epsilon", epsilon)
                .set("squares", SQUARES);
    }
}
