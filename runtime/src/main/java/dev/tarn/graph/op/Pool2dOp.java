package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * Maximum or mean of each window: (N, C, H, W) to (N, C, OH, OW). The maximum is the first in row-major order, a NaN wins, and
 * padding never does; in training it remembers one byte for each output instead of comparing again.
 *
 * @param divisor whether means count the padding as zeros; maxima ignore it
 */
public record Pool2dOp(Kind kind, Window window, Padding divisor) implements Op {
    /** What is taken of a window. */
    public enum Kind {
        MAX("maxpool2d"),
        AVERAGE("avgpool2d");

        private final String label;

        Kind(String label) {
            this.label = label;
        }
    }

    /** Whether a mean's divisor includes elements outside the image. */
    public enum Padding {
        EXCLUDED,
        INCLUDED
    }

    public static Pool2dOp max(Window window) {
        return new Pool2dOp(Kind.MAX, window, Padding.EXCLUDED);
    }

    public static Pool2dOp average(Window window, Padding divisor) {
        return new Pool2dOp(Kind.AVERAGE, window, divisor);
    }

    @Override
    public String name() {
        return kind.label;
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Shape y = Sizes.pooled(x.shape(), window, path);
        List<Spec> outputs = new ArrayList<>();
        outputs.add(Spec.activation(x.dtype(), y));
        if (kind == Kind.MAX && x.graph().mode() == Graph.Mode.TRAINING) {
            outputs.add(Spec.workspace("index", DType.U8, y));
        }
        return outputs;
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("_forward", node.input(0).shape(), node.output().shape(), node.output())
                .set("input", node.input(0))
                .set("output", node.output())
                .set("index", node.outputs().size() > 1 ? node.output(1) : null));
    }

    private KernelCall<Value> sized(String suffix, Shape input, Shape output, Value typed) {
        KernelCall<Value> call = KernelCall.of(kind.label + suffix, typed.dtype());
        return Sizes.window(call, input, output, window)
                .set("c", Sizes.channels(input))
                .set("count_include_pad", divisor.ordinal());
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value x = node.input(0);
        Op backward = new Backward(this, x.shape());
        if (kind == Kind.MAX) {
            gradients.propagate(x, backward, node, gradients.ofOutput(node), node.output(1));
        } else {
            gradients.propagate(x, backward, node, gradients.ofOutput(node));
        }
    }

    /** Each gradient goes to its window's winner, or in equal parts to its window. Inputs: grad_y, and index for maxima. */
    record Backward(Pool2dOp forward, Shape input) implements Op {
        @Override
        public String name() {
            return forward.kind.label + "_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.activation(inputs.get(0).dtype(), input));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized("_backward", input, node.input(0).shape(), node.output())
                    .set("grad_output", node.input(0))
                    .set("index", node.inputs().size() > 1 ? node.input(1) : null)
                    .set("grad_input", node.output()));
        }
    }
}
