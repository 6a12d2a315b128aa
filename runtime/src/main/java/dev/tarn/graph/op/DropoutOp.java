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
import java.util.List;

/**
 * Each element is kept with some probability, the others become a constant:
 *
 * <pre>y = kept ? x * scale + shift : dropped</pre>
 *
 * The mask is one bit for each element, a pure function of (seed, stream, step, index). Inputs: x, which may be a parameter,
 * masked once for the batch; step.
 *
 * @param keep probability of keeping an element, in (0, 1]
 * @param stream keeps the masks of different layers apart
 */
public record DropoutOp(double keep, double scale, double shift, double dropped, long seed, long stream) implements Op {
    /** What becomes of an element that is dropped where the activations before it are SELU's: its limit at minus infinity. */
    static final double SELU_LIMIT = -1.6732632423543772848170429916717 * 1.0507009873554804934193349852946;

    /** x or 0 (Srivastava and others, 2014): on average keep * x. */
    public static DropoutOp plain(double keep, Graph graph) {
        return new DropoutOp(keep, 1, 0, 0, graph.seed(), graph.nextRandomStream());
    }

    /** x / keep or 0: on average x. */
    public static DropoutOp inverted(double keep, Graph graph) {
        return new DropoutOp(keep, 1 / keep, 0, 0, graph.seed(), graph.nextRandomStream());
    }

    /**
     * a x + b or a L + b, where L is SELU's limit (Klambauer and others, "Self-normalizing neural networks", 2017): of x with mean
     * 0 and variance 1 it keeps both.
     *
     * <pre>a = 1 / sqrt(keep + L^2 keep (1 - keep))          b = -a (1 - keep) L</pre>
     */
    public static DropoutOp alpha(double keep, Graph graph) {
        double a = 1 / Math.sqrt(keep + SELU_LIMIT * SELU_LIMIT * keep * (1 - keep));
        double b = -a * (1 - keep) * SELU_LIMIT;
        return new DropoutOp(keep, a, b, a * SELU_LIMIT + b, graph.seed(), graph.nextRandomStream());
    }

    @Override
    public String name() {
        return "dropout";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Shape bits = Shape.of((x.shape().elementCount() + 7) / 8);
        return List.of(Spec.like(x), Spec.workspace("mask", DType.U8, bits));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("dropout_forward", node.output())
                .set("shift", shift)
                .set("dropped", dropped)
                .set("seed", seed)
                .set("stream", stream)
                .set("step", node.input(1))
                .set("input", node.input(0))
                .set("output", node.output())
                .set("mask", node.output(1)));
    }

    private KernelCall<Value> sized(String op, Value x) {
        return Sizes.elementwise(KernelCall.of(op, x.dtype()), x)
                .set("keep", keep)
                .set("scale", scale);
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        gradients.propagate(node.input(0), new Backward(this), node, gradients.ofOutput(node), node.output(1));
    }

    /** grad_x = grad_y * scale where kept, else 0, with the mask of the forward pass. Inputs: grad_y, mask. */
    record Backward(DropoutOp forward) implements Op {
        @Override
        public String name() {
            return "dropout_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized(name(), node.output())
                    .set("grad_output", node.input(0))
                    .set("mask", node.input(1))
                    .set("grad_input", node.output()));
        }
    }
}
