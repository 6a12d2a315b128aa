package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/**
 * How gradients change parameters. An optimizer describes; its state lives in the training session, one array like the
 * parameters for each name of {@link #state()}, and starts at zero. Immutable: each setter returns another optimizer.
 *
 * <p>In the formulas of implementations g is the gradient of a parameter x, the penalties of its {@link Group}
 * included, and rate the learning rate times that of the group. Squares, roots and quotients are of single elements,
 * and a quotient by zero counts as zero.
 */
public interface Optimizer {
    /** Names of the state arrays, such as {@code velocity}. */
    List<String> state();

    /**
     * The kernel that updates a range of parameters in one pass and sets their gradients to zero. Its operands are
     * named {@link #RATE}, {@link #STEP}, {@link #PARAMETERS}, {@link #GRADIENTS}, and as {@link #state()} names
     * them.
     */
    KernelCall<String> update(DType dtype, Group group, long elementCount);

    /** What holds for which parameters: each belongs to the first group that contains it, or else to none. */
    List<Group> groups();

    /** The same optimizer with other groups. */
    Optimizer with(Group... groups);

    /** What is done to gradients that are too large, before penalties are added. */
    Clipping clipping();

    /** The same optimizer, clipping gradients. */
    Optimizer clipped(Clipping how);

    /** The learning rate of the step, F64 (1). */
    String RATE = "rate";

    /** How many steps came before, I64 (1). */
    String STEP = "step";

    /** The range's parameters. */
    String PARAMETERS = "parameters";

    /** The range's gradients. */
    String GRADIENTS = "gradients";
}
