package dev.tarn.memory;

/** What a buffer is for; memory reports add up bytes by family. */
public enum Family {
    /** Learned weights and tracked statistics of a model. */
    PARAMETERS,
    /** Parameter gradients, which accumulate until the optimizer step. */
    GRADIENTS,
    /** Optimizer state, such as velocities. */
    OPTIMIZER,
    /** Outputs of layers and gradients with respect to them. */
    ACTIVATIONS,
    /** What one operation keeps between its phases, or from forward to backward: packed weights, partial sums, masks. */
    WORKSPACE,
    /** Memory of one thread that is dead after each kernel call. */
    SCRATCH,
    /** Argument blocks of kernels and scalars such as the loss. */
    ARGUMENTS,
    /** Batches on their way into a session. */
    STAGING;

    /** Lower case, as reports print it. */
    public String label() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
