package dev.tarn.graph;

import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An operation of the user's own in plain Java, with its gradient. {@link Value#apply(TensorFunction, String, Value...)} makes it part of a network:
 *
 * <pre>y = x.apply(new Snake(), label(), x.graph().parameter(alpha))</pre>
 *
 * Tensors are views of memory that was planned, valid during the call only; they have the session's number type, F32 or F64 (which
 * {@link dev.tarn.session.GradientCheck} uses), and {@link Tensor#get} and {@link Tensor#set} take logical indices whatever the
 * order in memory. A batch may be smaller than planned, so sizes are to be read from the tensors. What an example gives must not
 * depend on its neighbours in the batch if inference is to run a batch in parts. A function runs on the thread that calls the
 * session, one call at a time for each session; an exception that it throws leaves the run unfinished and the session usable.
 */
public interface TensorFunction {
    /** Lower case with underscores, for reports. */
    String name();

    /**
     * The shape of the output; that of the first input unless overridden.
     *
     * @param inputs the first size of images and rows is the largest batch
     * @throws IllegalArgumentException if the inputs do not fit; the message is shown with the layer's path
     */
    default Shape outputShape(List<Shape> inputs) {
        return inputs.get(0);
    }

    /** Computes the output, every element of it. */
    void forward(List<Tensor> inputs, Tensor output);

    /**
     * Computes the gradient with respect to each input, of activations and parameters alike. Zeros stand there, so it may be added up.
     *
     * @param inputs those of the forward pass
     * @param gradOutput the gradient of the loss with respect to the output
     * @param gradInputs one for each input; null where nobody needs it
     */
    void backward(List<Tensor> inputs, Tensor gradOutput, List<@Nullable Tensor> gradInputs);
}
