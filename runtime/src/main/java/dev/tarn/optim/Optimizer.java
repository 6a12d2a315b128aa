package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.util.List;

/**
 * How gradients change parameters. An optimizer describes; its state lives in the training session, one array like the
 * parameters for each name of {@link #state()}, and starts at zero.
 */
public interface Optimizer {
    /** Names of the state arrays, such as {@code velocity}. */
    List<String> state();

    /**
     * The kernel that updates a range of parameters in one pass and sets their gradients to zero. Its operands are named
     * {@link #RATE}, {@link #PARAMETERS}, {@link #GRADIENTS}, and as {@link #state()} names them.
     */
    KernelCall<String> update(DType dtype, Decay decay, long elementCount);

    /** The learning rate of the step, F64 (1). */
    String RATE = "rate";

    /** The range's parameters. */
    String PARAMETERS = "parameters";

    /** The range's gradients. */
    String GRADIENTS = "gradients";

    /** Whether weight decay applies: to weights, not to biases nor to scale and shift of normalisation. */
    enum Decay {
        APPLIES,
        EXEMPT
    }
}
