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
 * An element of each window, drawn with probability in proportion to its positive part, or the mean of what would be drawn:
 * (N, C, H, W) to (N, C, OH, OW). What is drawn is a pure function of (seed, stream, step, index) and the window; in training
 * its place is remembered as one byte, so that the gradient is that of a maximum there. Inputs: x, and step where it draws.
 *
 * @param stream keeps the draws of different layers apart
 */
public record StochasticPool2dOp(Window window, Graph.Randomness randomness, long seed, long stream) implements Op {
    /** Draws or not, as the graph does. */
    public static StochasticPool2dOp of(Window window, Graph graph) {
        return new StochasticPool2dOp(window, graph.randomness(), graph.seed(), graph.nextRandomStream());
    }

    private boolean draws() {
        return randomness == Graph.Randomness.DRAWN;
    }

    @Override
    public String name() {
        return "stochasticpool2d";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Value x = inputs.get(0);
        Shape y = Sizes.pooled(x.shape(), window, path);
        List<Spec> outputs = new ArrayList<>();
        outputs.add(Spec.activation(x.dtype(), y));
        if (x.graph().mode() == Graph.Mode.TRAINING) {
            outputs.add(Spec.workspace("index", DType.U8, y));
        }
        return outputs;
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        String op = draws() ? "stochasticpool2d_forward" : "stochasticpool2d_expectation";
        Shape x = node.input(0).shape();
        KernelCall<Value> call = KernelCall.of(op, node.output().dtype());
        return List.of(Sizes.window(call, x, node.output().shape(), window)
                .set("c", Sizes.channels(x))
                .set("seed", seed)
                .set("stream", stream)
                .set("step", draws() ? node.input(1) : null)
                .set("input", node.input(0))
                .set("output", node.output())
                .set("index", node.outputs().size() > 1 ? node.output(1) : null));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        Value x = node.input(0);
        Op backward = new Pool2dOp.Backward(Pool2dOp.max(window), x.shape());
        gradients.propagate(x, backward, node, gradients.ofOutput(node), node.output(1));
    }
}
