package dev.tarn.graph;

import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An operation that Java computes, on the thread that runs the program, instead of kernels. */
public interface JavaOp extends Op {
    /**
     * What computes a node on these tensors; made anew when the batch gets another size, so that a run allocates nothing.
     *
     * @param inputs of the node, as large as the run's batch
     * @param outputs of the node, likewise; what they hold is undefined
     */
    Runnable on(List<Tensor> inputs, List<Tensor> outputs);

    /** None. */
    @Override
    default List<KernelCall<Value>> calls(Node node) {
        return List.of();
    }

    /** None: what it computes a second time nobody knows. */
    @Override
    default @Nullable Op again() {
        return null;
    }
}
