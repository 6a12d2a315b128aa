package dev.tarn.session;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation.Kind;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.AddOp;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.graph.op.Conv2dOp;
import dev.tarn.graph.op.DropoutOp;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

/** Warnings that follow from what a network computes, as it was traced for training. */
final class GraphLints {
    /** A run of convolutions of stride 1: how large the image was before it, and how many there are. */
    private record Stack(long rows, long columns, int convolutions) {}

    private final List<Node> nodes;
    private final Set<Value> beforeWeights;
    private final Set<Value> beforeBatchNorm;
    private final Set<Value> normalized = new HashSet<>();
    private final List<Lint> lints = new ArrayList<>();

    private GraphLints(List<Node> nodes) {
        this.nodes = nodes;
        this.beforeWeights = before(GraphLints::hasWeights);
        this.beforeBatchNorm = before(GraphLints::isBatchNorm);
        for (Node node : nodes) {
            if (isBatchNorm(node)
                    || isElementwise(node) && node.inputs().stream().anyMatch(normalized::contains)) {
                normalized.add(node.output());
            }
        }
    }

    /** Values that such a node depends on. */
    private Set<Value> before(Predicate<Node> fits) {
        Set<Value> values = new HashSet<>();
        for (Node node : nodes.reversed()) {
            if (fits.test(node) || node.outputs().stream().anyMatch(values::contains)) {
                values.addAll(node.inputs());
            }
        }
        return values;
    }

    static List<Lint> of(Graph graph) {
        var found = new GraphLints(graph.nodes());
        for (Node node : graph.nodes()) {
            found.squashes(node);
            found.drops(node);
        }
        found.shrinks();
        return found.lints;
    }

    private void add(Lint.Id id, Node node, String reason, Object... values) {
        lints.add(new Lint(id, node.path(), String.format(Locale.ROOT, reason, values)));
    }

    /** At the output a sigmoid is a probability; in front of weights it kills gradients. */
    private void squashes(Node node) {
        if (node.op() instanceof ActivationOp op
                && (op.activation().kind() == Kind.SIGMOID || op.activation().kind() == Kind.TANH)
                && beforeWeights.contains(node.output())) {
            add(
                    Lint.Id.SIGMOID_HIDDEN,
                    node,
                    "%s in a hidden layer passes hardly any gradient where it saturates; try ReLU first, then leaky"
                            + " ReLU or ELU",
                    op.activation().label());
        }
    }

    /**
     * Dropout changes the variance that batch normalisation after it measures in training and meets no more in inference (Li et
     * al., "Understanding the disharmony between dropout and batch normalization by variance shift", 2019).
     */
    private void drops(Node node) {
        if (node.op() instanceof DropoutOp
                && (normalized.contains(node.input(0)) || beforeBatchNorm.contains(node.output()))) {
            add(
                    Lint.Id.DROPOUT_BATCHNORM,
                    node,
                    "dropout beside or before batch normalisation: one school never combines them, for dropout shifts"
                            + " the variance that batch normalisation keeps for inference, the other puts dropout after"
                            + " all layers");
        }
    }

    private static boolean isBatchNorm(Node node) {
        return node.op() instanceof BatchNormOp;
    }

    private static boolean hasWeights(Node node) {
        return node.inputs().stream()
                .anyMatch(v -> v.parameter() != null && v.parameter().role() == Role.WEIGHT);
    }

    private static boolean isElementwise(Node node) {
        return node.op() instanceof ActivationOp || node.op() instanceof AddOp || node.op() instanceof BiasOp;
    }

    private void shrinks() {
        Map<Value, Stack> stacks = new HashMap<>();
        for (Node node : nodes) {
            Shape out = node.output().shape();
            Shape in = node.input(0).shape();
            if (in.rank() != 4 || out.rank() != 4) {
                continue;
            }
            Stack before = stacks.getOrDefault(node.input(0), new Stack(in.size(2), in.size(3), 0));
            if (node.op() instanceof Conv2dOp op && isDense(op)) {
                Stack stack = new Stack(before.rows, before.columns, before.convolutions + 1);
                boolean lost = 2 * out.size(2) < stack.rows || 2 * out.size(3) < stack.columns;
                if (lost && stack.convolutions > 1) {
                    add(
                            Lint.Id.SHRINKING,
                            node,
                            "%d convolutions without enough padding shrink images from %dx%d to %dx%d; same() pads a"
                                    + " window so that the size stays",
                            stack.convolutions,
                            stack.rows,
                            stack.columns,
                            out.size(2),
                            out.size(3));
                } else {
                    stacks.put(node.output(), stack);
                }
            } else if (in.size(2) == out.size(2) && in.size(3) == out.size(3)) {
                stacks.put(node.output(), before);
            }
        }
    }

    private static boolean isDense(Conv2dOp op) {
        return op.window().rows().stride() == 1 && op.window().columns().stride() == 1;
    }
}
