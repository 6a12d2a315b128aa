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
import java.util.ArrayList;
import java.util.List;

/**
 * Maximum of windows that are reached by steps of 1 and 2: (N, C, H, W) to (N, C, OH, OW), between H and half of it, rounded up.
 * The steps are a pure function of (seed, stream, step), the same for all images and channels of a batch. Inputs: x, and step
 * where they are random.
 *
 * @param ratio of H to OH and of W to OW, in (1, 2]
 * @param stream keeps the steps of different layers apart
 */
public record FractionalPool2dOp(double ratio, Steps steps, Regions regions, long seed, long stream) implements Op {
    /** How steps of 1 and 2 are put in order, in the order of the kernels' codes. */
    public enum Steps {
        /** Window i begins at floor(i H / OH): always the same. */
        EVEN,
        /** All orders are as likely. */
        RANDOM,
        /** As even as can be, from a random beginning: differences of ceil(H / OH (i + u)) with u in [0, 1). */
        PSEUDO_RANDOM
    }

    /** Where a window ends. */
    public enum Regions {
        /** Before the next one begins. */
        DISJOINT,
        /** With the first row and column of the next one. */
        OVERLAPPING
    }

    public FractionalPool2dOp {
        if (!(ratio > 1 && ratio <= 2)) {
            throw new IllegalArgumentException("fractional pooling has a ratio in (1, 2], not " + ratio);
        }
    }

    private long outputSize(long size) {
        return Math.max((long) (size / ratio), Math.ceilDiv(size, 2));
    }

    @Override
    public String name() {
        return "fractionalpool2d";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Shape shape = x.shape();
        Sizes.requireImages(shape, path);
        Shape y = Shape.of(shape.size(0), shape.size(1), outputSize(shape.size(2)), outputSize(shape.size(3)));
        List<Spec> outputs = new ArrayList<>();
        outputs.add(Spec.activation(x.dtype(), y));
        outputs.add(Spec.workspace("rows", DType.I64, Shape.of(y.size(2) + 1)));
        outputs.add(Spec.workspace("columns", DType.I64, Shape.of(y.size(3) + 1)));
        if (x.graph().mode() == Graph.Mode.TRAINING) {
            outputs.add(Spec.workspace("index", DType.U8, y));
        }
        return outputs;
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("_forward", node.input(0).shape(), node.output().shape(), node.output())
                .set("seed", seed)
                .set("stream", stream)
                .set("step", steps == Steps.EVEN ? null : node.input(1))
                .set("steps", steps.ordinal())
                .set("input", node.input(0))
                .set("output", node.output())
                .set("rows", node.output(1))
                .set("columns", node.output(2))
                .set("index", node.outputs().size() > 3 ? node.output(3) : null));
    }

    private KernelCall<Value> sized(String suffix, Shape input, Shape output, Value typed) {
        return KernelCall.<Value>of(name() + suffix, typed.dtype())
                .set("h", input.size(2))
                .set("w", input.size(3))
                .set("c", input.size(1))
                .set("oh", output.size(2))
                .set("ow", output.size(3))
                .set("overlap", regions.ordinal());
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value x = node.input(0);
        Op backward = new Backward(this, x.shape());
        gradients.propagate(
                x, backward, node, gradients.ofOutput(node), node.output(1), node.output(2), node.output(3));
    }

    /** Each gradient goes to its window's winner. Inputs: grad_y, rows, columns, index. */
    record Backward(FractionalPool2dOp forward, Shape input) implements Op {
        @Override
        public String name() {
            return forward.name() + "_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.activation(inputs.get(0).dtype(), input));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized("_backward", input, node.input(0).shape(), node.output())
                    .set("grad_output", node.input(0))
                    .set("rows", node.input(1))
                    .set("columns", node.input(2))
                    .set("index", node.input(3))
                    .set("grad_input", node.output()));
        }
    }
}
