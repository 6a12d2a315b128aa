package dev.tarn.optim;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * How gradients change parameters. An optimizer describes; its state lives in the training session, one array like the
 * parameters for each name of {@link #state()}, and starts at zero.
 */
public interface Optimizer {
    /** Names of the state arrays, such as {@code velocity}. */
    List<String> state();

    /**
     * The kernel that updates a range of parameters in one pass and sets their gradients to zero.
     *
     * @param decayed whether weight decay applies to the range
     * @param memory the range of flat memory, and the learning rate
     */
    KernelCall<MemorySegment> update(DType dtype, Decay decayed, Range memory);

    /** Whether weight decay applies: to weights, not to biases nor to scale and shift of normalisation. */
    enum Decay {
        APPLIES,
        EXEMPT
    }

    /**
     * @param rate F64 (1), the learning rate of this step
     * @param state one segment for each name of {@link #state()}
     */
    record Range(
            long elementCount,
            MemorySegment rate,
            MemorySegment parameters,
            MemorySegment gradients,
            List<MemorySegment> state) {}
}
