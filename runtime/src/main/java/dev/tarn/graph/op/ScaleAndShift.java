package dev.tarn.graph.op;

import dev.tarn.graph.Gradients;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Value;

/** What normalisations have in common: inputs x, weight, bias; outputs y, mean, 1 / deviation. */
final class ScaleAndShift {
    private ScaleAndShift() {}

    /** Appends the gradient of a normalisation, whose inputs are grad_y, x, weight, mean, 1 / deviation, grad_weight, grad_bias. */
    static void backward(Op backward, Node node, Gradients gradients) {
        Value x = node.input(0);
        Value weight = node.input(1);
        Value gradWeight = gradients.ofParameter(weight);
        Value gradBias = gradients.ofParameter(node.input(2));
        if (gradWeight == null || gradBias == null) {
            throw new UnsupportedOperationException(node.path() + ": scale and shift are trained together");
        }
        Node gradient = gradients.apply(
                backward,
                node,
                gradients.ofOutput(node),
                x,
                weight,
                node.output(1),
                node.output(2),
                gradWeight,
                gradBias);
        gradients.add(x, gradient.output());
    }
}
