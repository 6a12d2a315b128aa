package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Softmax and cross-entropy in one, by log-sum-exp, as a mean over the batch. Targets are t = (1 - smoothing) * onehot + smoothing
 * / classes, times the weight of each class if there are weights; then the sum is divided by that of the labels' weights. Inputs:
 * logits (N, classes), labels I32 (N), the divisor F64 (1), then weights F64 (classes), if there are any. Outputs: loss F64 (1),
 * probabilities.
 */
public record CrossEntropyOp(double smoothing) implements Op {
    @Override
    public String name() {
        return "cross_entropy";
    }

    @Override
    public List<Spec> infer(List<Value> inputs, String path) {
        Shape logits = inputs.get(0).shape();
        if (logits.rank() != 2) {
            throw new ShapeException(
                    path, "(N, classes)", logits.toString(), "cross-entropy takes one row of logits for each example");
        }
        if (inputs.size() > 3 && inputs.get(3).shape().size(0) != logits.size(1)) {
            throw new ShapeException(
                    path,
                    inputs.get(3).shape().size(0) + " classes",
                    logits.toString(),
                    "the loss has that many weights of classes");
        }
        return List.of(
                Spec.loss(), Spec.workspace("probabilities", inputs.get(0).dtype(), logits));
    }

    @Override
    public List<KernelCall<Value>> calls(Node node) {
        return List.of(sized("cross_entropy_forward", node.input(0))
                .set("logits", node.input(0))
                .set("labels", node.input(1))
                .set("divisor", node.input(2))
                .set("class_weights", weights(node))
                .set("probabilities", node.output(1))
                .set("loss", node.output()));
    }

    /** The weights of classes, the fourth input of both passes; null if there are none. */
    private static @Nullable Value weights(Node node) {
        return node.inputs().size() > 3 ? node.input(3) : null;
    }

    private KernelCall<Value> sized(String op, Value logits) {
        return KernelCall.<Value>of(op, logits.dtype())
                .set("classes", logits.shape().size(1))
                .set("smoothing", smoothing);
    }

    @Override
    public void backward(Node node, Gradients gradients) {
        List<Value> inputs = new ArrayList<>(node.inputs());
        inputs.set(0, node.output(1));
        gradients.propagate(node.input(0), new Backward(this), node, inputs.toArray(new Value[0]));
    }

    /** grad_logits = (probabilities * sum(t) - t) / divisor. Inputs: probabilities, labels, divisor, then weights. */
    record Backward(CrossEntropyOp forward) implements Op {
        @Override
        public String name() {
            return "cross_entropy_backward";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return List.of(Spec.like(inputs.get(0)));
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return List.of(forward.sized(name(), node.output())
                    .set("probabilities", node.input(0))
                    .set("labels", node.input(1))
                    .set("divisor", node.input(2))
                    .set("class_weights", weights(node))
                    .set("grad_logits", node.output()));
        }
    }
}
