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

/**
 * The largest of several pieces: y[c] = max over j of x[j C + c]. The gradient goes to the piece that won; of equals that is the
 * first, and a NaN wins. Input: x (N, pieces C, H, W) or (N, pieces C). Outputs: y (N, C, ..); in training, which piece won.
 */
public record MaxoutOp(int pieces) implements Op {
    private static final int MOST_PIECES = 256;

    public MaxoutOp {
        if (pieces < 2 || pieces > MOST_PIECES) {
            throw new IllegalArgumentException("maxout has 2 to %d pieces, not %d".formatted(MOST_PIECES, pieces));
        }
    }

    @Override
    public String name() {
        return "maxout";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Sizes.requireImagesOrRows(x.shape(), path);
        long[] sizes = x.shape().toArray();
        if (sizes[1] % pieces != 0) {
            throw new ShapeException(
                    path,
                    "a multiple of %d channels".formatted(pieces),
                    x.shape().toString(),
                    "maxout takes the largest of %d pieces of equally many channels".formatted(pieces));
        }
        sizes[1] /= pieces;
        Spec y = Spec.activation(x.dtype(), Shape.of(sizes));
        return x.graph().mode() == Graph.Mode.INFERENCE
                ? List.of(y)
                : List.of(y, Spec.workspace("winner", DType.U8, y.shape()));
    }

    private KernelCall<Value> sized(String op, Value y) {
        return KernelCall.<Value>of(op, y.dtype())
                .set("hw", Sizes.pixels(y.shape()))
                .set("c", Sizes.channels(y.shape()))
                .set("pieces", pieces);
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("maxout_forward", node.output())
                .set("input", node.input(0))
                .set("output", node.output())
                .set("index", node.outputs().size() > 1 ? node.output(1) : null));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        gradients.propagate(
                node.input(0),
                new Backward(this, node.input(0).shape()),
                node,
                node.output(1),
                gradients.ofOutput(node));
    }

    /** grad_x = grad_y where a piece won, else 0. Inputs: winner, grad_y. */
    record Backward(MaxoutOp forward, Shape input) implements Op {
        @Override
        public String name() {
            return "maxout_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.activation(inputs.get(1).dtype(), input));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized(name(), node.input(1))
                    .set("index", node.input(0))
                    .set("grad_output", node.input(1))
                    .set("grad_input", node.output()));
        }
    }
}
