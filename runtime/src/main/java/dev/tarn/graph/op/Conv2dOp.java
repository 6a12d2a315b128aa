package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.List;

/**
 * 2-D cross-correlation, and the linear layer, which is a 1x1 convolution of images of one pixel.
 *
 * <pre>y[n,o,i,j] = act(sum_{c,k,l} x[n, c, i*s + k*d - p, j*s + l*d - p] * w[o,c,k,l] + bias[o] + residual[n,o,i,j])</pre>
 *
 * Inputs: x (N, C, H, W), w (O, C/groups, KH, KW), then bias (O) and residual (N, O, OH, OW) where the epilogue has them;
 * linear: x (N, I), w (O, I).
 *
 * @param epilogue what rewrites have attached; empty when traced
 */
public record Conv2dOp(Window window, long groups, Epilogue epilogue) implements Op {
    /** Operands and activation applied to the sums before they are written. */
    public record Epilogue(Operand bias, Operand residual, Activation activation) {
        /** Whether the epilogue reads an operand. */
        public enum Operand {
            ABSENT,
            PRESENT
        }

        public static final Epilogue EMPTY = new Epilogue(Operand.ABSENT, Operand.ABSENT, Activation.NONE);

        public boolean isEmpty() {
            return !hasBias() && !hasResidual() && activation.isNone();
        }

        public boolean hasBias() {
            return bias == Operand.PRESENT;
        }

        public boolean hasResidual() {
            return residual == Operand.PRESENT;
        }
    }

    /** A convolution without epilogue. */
    public Conv2dOp(Window window, long groups) {
        this(window, groups, Epilogue.EMPTY);
    }

    /** A linear layer. */
    public static Conv2dOp linear() {
        return new Conv2dOp(Window.window(1), 1);
    }

    /** The same convolution with another epilogue. */
    public Conv2dOp with(Epilogue other) {
        return new Conv2dOp(window, groups, other);
    }

    @Override
    public String name() {
        return "conv2d" + epilogue.activation().suffix();
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape x = inputs.get(0).shape();
        Shape w = inputs.get(1).shape();
        if (x.rank() != w.rank() || (x.rank() != 4 && x.rank() != 2)) {
            throw new ShapeException(
                    path,
                    w.rank() == 2 ? "(N, %d)".formatted(w.size(1)) : "(N, %d, H, W)".formatted(w.size(1) * groups),
                    x.toString(),
                    w.rank() == 2 ? "a linear layer takes rows; flatten images first" : "a convolution takes images");
        }
        if (x.size(1) != w.size(1) * groups || w.size(0) % groups != 0) {
            throw new ShapeException(
                    path,
                    "%d input channels".formatted(w.size(1) * groups),
                    "%d in %s".formatted(x.size(1), x),
                    "the weight %s with %d group(s) says so".formatted(w, groups));
        }
        return List.of(Spec.activation(inputs.get(0).dtype(), outputShape(x, w, path)));
    }

    private Shape outputShape(Shape x, Shape w, String path) {
        return x.rank() == 2
                ? Shape.of(x.size(0), w.size(0))
                : Shape.of(
                        x.size(0),
                        w.size(0),
                        window.outputRows(x.size(2), path),
                        window.outputColumns(x.size(3), path));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        int next = 2;
        Value bias = epilogue.hasBias() ? node.input(next++) : null;
        Value residual = epilogue.hasResidual() ? node.input(next) : null;
        return List.of(epilogue.activation()
                .addTo(sized(
                        "conv2d_forward", node.input(0).shape(), node.output().shape(), node.output()))
                .set("input", node.input(0))
                .set("weight", node.input(1))
                .set("constant_weight", node.input(1).isFixed() ? 1 : 0)
                .set("bias", bias)
                .set("residual", residual)
                .set("output", node.output()));
    }

    private KernelCall<Value> sized(String op, Shape input, Shape output, Value typed) {
        KernelCall<Value> call = KernelCall.of(op, typed.dtype());
        return Sizes.window(call, input, output, window)
                .set("ic", Sizes.channels(input))
                .set("oc", Sizes.channels(output))
                .set("groups", groups);
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value x = node.input(0);
        Value w = node.input(1);
        Value gradOutput = gradients.ofOutput(node);
        gradients.accumulate(w, new BackwardWeight(this), node, x, gradOutput);
        gradients.propagate(x, new BackwardData(this, x.shape()), node, gradOutput, w);
    }

    @Override
    public long flops(Node node) {
        Shape w = node.input(1).shape();
        return 2 * node.output().shape().elementCount() * (w.elementCount() / w.size(0));
    }

    /**
     * grad_x = full convolution of grad_y with the window rotated by 180 degrees, plus what other readers of x sent, if a rewrite
     * has attached it. Inputs: grad_y, w, then the other gradient.
     */
    public record BackwardData(Conv2dOp forward, Shape input) implements Op {
        private static final int RESIDUAL = 2;

        /** Whether a node of this operation adds another gradient. */
        public static boolean hasResidual(Node node) {
            return node.inputs().size() > RESIDUAL;
        }

        @Override
        public String name() {
            return "conv2d_backward_data";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.activation(inputs.get(0).dtype(), input));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized(name(), input, node.input(0).shape(), node.output())
                    .set("grad_output", node.input(0))
                    .set("weight", node.input(1))
                    .set("residual", hasResidual(node) ? node.input(RESIDUAL) : null)
                    .set("grad_input", node.output()));
        }

        @Override
        public long flops(Node node) {
            Shape w = node.input(1).shape();
            return 2 * node.input(0).shape().elementCount() * (w.elementCount() / w.size(0));
        }
    }

    /** grad_w += correlation of x with grad_y, summed over the batch. Inputs: x, grad_y, grad_w. */
    record BackwardWeight(Conv2dOp forward) implements Op {
        @Override
        public String name() {
            return "conv2d_backward_weight";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of();
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(
                    forward.sized(name(), node.input(0).shape(), node.input(1).shape(), node.input(0))
                            .set("input", node.input(0))
                            .set("grad_output", node.input(1))
                            .set("grad_weight", node.input(2)));
        }

        @Override
        public long flops(Node node) {
            Shape w = node.input(2).shape();
            return 2 * node.input(1).shape().elementCount() * (w.elementCount() / w.size(0));
        }
    }
}
