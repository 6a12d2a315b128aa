package dev.tarn.graph;

import dev.tarn.graph.op.AccumulateOp;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.AddOp;
import dev.tarn.graph.op.ClearOp;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reverse-mode differentiation of a graph: appends the backward nodes. Gradients of activations are values like any other,
 * and where a value is used twice its gradient is an explicit sum. Gradients of parameters accumulate over runs. Nothing is
 * computed that no trainable parameter needs.
 */
public final class Gradients {
    private final Graph graph;
    private final Set<Value> wanted = new HashSet<>();
    private final Map<Value, Value> byValue = new LinkedHashMap<>();

    private Gradients(Graph graph) {
        this.graph = graph;
    }

    /** Appends the gradient of a loss, which is the main output of the last node. */
    public static void differentiate(Graph graph, Value loss) {
        Gradients gradients = new Gradients(graph);
        List<Node> forward = new ArrayList<>(graph.nodes());
        gradients.markWanted(forward);
        for (Node node : forward.reversed()) {
            boolean reached = node.output() == loss || gradients.byValue.containsKey(node.output());
            if (reached && node.inputs().stream().anyMatch(gradients::isWanted)) {
                node.op().backward(node, gradients);
            }
        }
    }

    private void markWanted(List<Node> forward) {
        for (Node node : forward) {
            if (node.inputs().stream().anyMatch(this::isWanted)) {
                wanted.addAll(node.outputs());
            }
        }
    }

    /** Whether anything trainable depends on the gradient of a value. */
    public boolean isWanted(Value value) {
        Parameter parameter = value.parameter();
        return parameter != null ? parameter.role().isTrainable() : wanted.contains(value);
    }

    public Graph graph() {
        return graph;
    }

    /** The gradient with respect to a node's main output. */
    public Value ofOutput(Node node) {
        Value gradient = byValue.get(node.output());
        if (gradient == null) {
            throw new IllegalStateException("no gradient reached " + node);
        }
        return gradient;
    }

    /** The memory that gradients of a parameter are added to; null if the parameter is not trained. */
    public @Nullable Value ofParameter(Value parameterValue) {
        Parameter parameter = parameterValue.parameter();
        return parameter != null && parameter.role().isTrainable() ? graph.gradient(parameter) : null;
    }

    /** Adds to the gradient of a value, if it is wanted; of a parameter in memory, when it is computed. */
    public void add(Value value, Value gradient) {
        Value ofParameter = ofParameter(value);
        if (ofParameter != null) {
            graph.add(new AccumulateOp(), value.name() + ".grad", List.of(gradient, ofParameter));
        } else if (isWanted(value)) {
            Value before = byValue.get(value);
            Value sum = before == null
                    ? gradient
                    : before.apply(new AddOp(Activation.NONE), graph.freshPath(value.name() + ".grad"), gradient);
            byValue.put(value, sum);
        }
    }

    /** Adds what a backward operation computes to the gradient of a value; nothing is computed if it is not wanted. */
    public void propagate(Value value, Op backward, Node of, Value... inputs) {
        if (isWanted(value)) {
            add(value, apply(backward, of, inputs).output());
        }
    }

    /**
     * Appends an operation that adds to the gradient of a weight, its last input; nothing if nobody wants it. The gradient is that
     * of a parameter, or, where the weight is computed from one, starts at zero in each run.
     */
    public void accumulate(Value weight, Op backward, Node of, Value... inputs) {
        Value ofParameter = ofParameter(weight);
        if (ofParameter == null && !isWanted(weight)) {
            return;
        }
        Value gradient = ofParameter != null
                ? ofParameter
                : apply(new ClearOp(), of, weight).output();
        Value[] all = Arrays.copyOf(inputs, inputs.length + 1);
        all[inputs.length] = gradient;
        apply(backward, of, all);
        if (ofParameter == null) {
            add(weight, gradient);
        }
    }

    /** Appends a backward node, named after the node whose gradient it is. */
    public Node apply(Op op, Node of, Value... inputs) {
        return graph.add(op, of.path() + ".grad", List.of(inputs));
    }
}
