package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Batch normalisation (Ioffe and Szegedy, 2015) over examples and pixels, one statistic for each channel.
 *
 * <pre>y = act((x - mean) / sqrt(var + eps) * weight + bias + residual)</pre>
 *
 * In training mean and (biased) variance are the batch's and the running statistics move towards them; in inference they are
 * the running ones. Inputs: x (N, C, H, W) or (N, C); weight, bias, running mean, running variance or deviation (C); then the
 * residual, if a rewrite has attached one. Outputs in training: y, mean, 1 / sqrt(var + eps); then the mask, if a rewrite has asked for it.
 *
 * @param keep weight of the old value in running statistics: running = keep * running + (1 - keep) * batch
 * @param smoothed what the running average of the spread is taken of
 * @param estimate which variance of the batch goes into it
 */
public record BatchNormOp(double eps, double keep, Smoothed smoothed, Estimate estimate, Activation activation)
        implements Op {
    /** What the second running average is taken of, in the order of the kernels' codes. */
    public enum Smoothed {
        /** The variance; evaluation divides by sqrt(running_var + eps). */
        VARIANCE,
        /** The standard deviation sqrt(var + eps); evaluation divides by running_std, which has eps inside already. */
        DEVIATION
    }

    /** The variance of m values that a running average takes in; the batch itself is always normalised by the biased one. */
    public enum Estimate {
        /** Sum of squares / m. */
        BIASED,
        /** Sum of squares / (m - 1). */
        UNBIASED;

        private long correction() {
            return this == UNBIASED ? 1 : 0;
        }
    }

    private static final int RESIDUAL = 5;
    private static final int MASK = 3;

    @Override
    public String name() {
        return "batchnorm" + activation.suffix();
    }

    /** The same normalisation, applying an activation to its result. */
    public BatchNormOp with(Activation other) {
        return new BatchNormOp(eps, keep, smoothed, estimate, other);
    }

    /** Keeps all of the running statistics: they have moved already. */
    @Override
    public Op again() {
        return new BatchNormOp(eps, 1, smoothed, estimate, activation);
    }

    /** The residual input of a node of this operation; null if there is none. */
    public static @Nullable Value residual(Node node) {
        return node.inputs().size() > RESIDUAL ? node.input(RESIDUAL) : null;
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Sizes.requireImagesOrRows(x.shape(), path);
        Shape channels = Shape.of(Sizes.channels(x.shape()));
        if (!inputs.get(1).shape().equals(channels)) {
            throw new ShapeException(
                    path,
                    inputs.get(1).shape().size(0) + " channels",
                    x.shape().toString(),
                    "the layer was made for another number of channels");
        }
        Spec y = Spec.like(x);
        if (x.graph().mode() == Graph.Mode.INFERENCE) {
            return List.of(y);
        }
        if (x.shape().size(0) * Sizes.pixels(x.shape()) < 2) {
            throw new ShapeException(
                    path,
                    "at least 2 values a channel",
                    x.shape().toString(),
                    "one value has no variance to train with");
        }
        return List.of(y, Spec.workspace("mean", x.dtype(), channels), Spec.workspace("inv_std", x.dtype(), channels));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        boolean training = node.outputs().size() > 1;
        KernelCall<Value> call = sized(training ? "batchnorm_forward" : "batchnorm_inference", node.output())
                .set("input", node.input(0))
                .set("weight", node.input(1))
                .set("bias", node.input(2))
                .set("running_mean", node.input(3))
                .set("running_var", node.input(4))
                .set("smoothed", smoothed.ordinal())
                .set("residual", residual(node))
                .set("output", node.output());
        if (training) {
            call.set("keep", keep)
                    .set("correction", estimate.correction())
                    .set("mean", node.output(1))
                    .set("inv_std", node.output(2))
                    .set("mask", node.outputs().size() > MASK ? node.output(MASK) : null);
        }
        return List.of(activation.addTo(call));
    }

    /** What a forward pass can leave for its activation's gradient: for each element of y one bit, rows of whole bytes. */
    public static Spec maskOf(Value y) {
        long bytes = (Sizes.channels(y.shape()) + 7) / 8;
        return Spec.workspace("mask", DType.U8, Shape.of(y.shape().size(0), Sizes.pixels(y.shape()) * bytes));
    }

    private KernelCall<Value> sized(String op, Value images) {
        return KernelCall.<Value>of(op, images.dtype())
                .set("hw", Sizes.pixels(images.shape()))
                .set("c", Sizes.channels(images.shape()))
                .set("eps", eps);
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        ScaleAndShift.backward(new Backward(this), node, gradients);
    }

    /**
     * With g = grad_y (where the mask has a bit) and z = (x - mean) * inv_std: grad_x = weight * inv_std * (g - mean(g) - z * mean(g * z)),
     * grad_weight += sum g * z, grad_bias += sum g. Inputs: grad_y, x, weight, mean, inv_std, grad_weight, grad_bias, then a
     * mask if a rewrite has attached one. Outputs: grad_x, then the masked gradient if a rewrite wants it too.
     */
    public record Backward(BatchNormOp forward) implements Op {
        private static final int MASK = 7;

        /** Whether a node of this operation takes the gradient of an activation on the way. */
        public static boolean isMasked(Node node) {
            return node.inputs().size() > MASK;
        }

        @Override
        public String name() {
            return "batchnorm_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized("batchnorm_backward", node.output())
                    .set("grad_output", node.input(0))
                    .set("input", node.input(1))
                    .set("weight", node.input(2))
                    .set("mean", node.input(3))
                    .set("inv_std", node.input(4))
                    .set("grad_weight", node.input(5))
                    .set("grad_bias", node.input(6))
                    .set("mask", isMasked(node) ? node.input(MASK) : null)
                    .set("grad_input", node.output())
                    .set("grad_residual", node.outputs().size() > 1 ? node.output(1) : null));
        }

        @Override
        public int inPlaceInput() {
            return 0;
        }
    }
}
