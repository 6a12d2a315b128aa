package dev.tarn.graph;

import dev.tarn.kernel.KernelCall;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation with its attributes. The same operation serves every node that applies it; it holds no memory and no values.
 *
 * <p>Forward and backward operations are the same kind of thing: a backward operation is one whose gradient nobody asks for.
 */
public interface Op {
    /** Lower case with underscores: {@code conv2d}. */
    String name();

    /**
     * The outputs for given inputs; the first is the main one.
     *
     * @param path the layer that applies the operation, for errors
     * @throws dev.tarn.tensor.ShapeException if the inputs do not fit
     */
    List<Spec> infer(List<Value> inputs, String path);

    /**
     * States the gradients of the node's inputs by adding nodes, given those of its outputs.
     *
     * @throws UnsupportedOperationException if the operation has no gradient
     */
    default void backward(Node node, Gradients gradients) {
        throw new UnsupportedOperationException(name() + " has no gradient");
    }

    /** The kernel calls that compute the node, in order; none for a {@linkplain #isView view} or a {@link JavaOp}. */
    List<KernelCall<Value>> calls(Node node);

    /** Whether the node's output is nothing but the memory of its first input, seen in another shape. */
    default boolean isView(Node node) {
        return false;
    }

    /**
     * The operation that computes the same outputs once more from the same inputs, to the bit, and changes nothing else;
     * null if there is none.
     */
    default @Nullable Op again() {
        return this;
    }

    /** Which input's memory the main output may take over when that input is not needed any more; -1 for none. */
    default int inPlaceInput() {
        return -1;
    }

    /** Multiplications and additions at the largest batch, by the direct definition; 0 where they do not count. */
    default long flops(Node node) {
        return 0;
    }
}
