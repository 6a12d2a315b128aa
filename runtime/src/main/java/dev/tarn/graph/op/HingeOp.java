package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.List;

/**
 * Multiclass hinge loss with margin 1, a mean over the batch. Inputs: scores (N, classes), labels I32 (N), the divisor F64 (1).
 * Output: loss F64 (1).
 */
public record HingeOp() implements Op {
    @Override
    public String name() {
        return "hinge";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape scores = inputs.get(0).shape();
        if (scores.rank() != 2) {
            throw new ShapeException(
                    path, "(N, classes)", scores.toString(), "the hinge loss takes one row of scores for each example");
        }
        return List.of(Spec.loss());
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("hinge_forward", node).set("loss", node.output()));
    }

    private static KernelCall<Value> sized(String op, Node node) {
        Value scores = node.input(0);
        return KernelCall.<Value>of(op, scores.dtype())
                .set("classes", scores.shape().size(1))
                .set("scores", scores)
                .set("labels", node.input(1))
                .set("divisor", node.input(2));
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        gradients.propagate(node.input(0), new Backward(), node, node.inputs().toArray(Value[]::new));
    }

    /** grad_scores = (1 for each class within the margin, minus their number for the label) / divisor. Inputs: as forward. */
    record Backward() implements Op {
        @Override
        public String name() {
            return "hinge_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(sized(name(), node).set("grad_scores", node.output()));
        }
    }
}
