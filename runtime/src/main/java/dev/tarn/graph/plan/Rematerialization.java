package dev.tarn.graph.plan;

import static java.util.Objects.requireNonNull;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Computes values of the forward pass again in the backward pass instead of keeping them (Chen and others, "Training deep nets with
 * sublinear memory cost", 2016). What runs again are the same kernels on the same numbers, so no bit of the result changes.
 */
final class Rematerialization {
    private final List<Node> forward;
    private final List<Node> backward;
    private final Map<Value, Node> producers = new HashMap<>();
    private final Set<Value> kept = new LinkedHashSet<>();

    Rematerialization(Graph graph, Value loss) {
        List<Node> nodes = graph.nodes();
        int last = 0;
        while (!nodes.get(last).outputs().contains(loss)) {
            last++;
        }
        forward = List.copyOf(nodes.subList(0, last + 1));
        backward = List.copyOf(nodes.subList(last + 1, nodes.size()));
        for (Node node : forward) {
            node.outputs().forEach(v -> producers.put(v, node));
        }
        for (Node node : backward) {
            for (Value input : node.inputs()) {
                if (producers.containsKey(input)) {
                    kept.add(input);
                }
            }
        }
    }

    List<Node> forward() {
        return forward;
    }

    /** The values of the forward pass that the backward pass reads, in the order in which it does. */
    Set<Value> kept() {
        return kept;
    }

    Node producer(Value value) {
        return requireNonNull(producers.get(value), value.name());
    }

    /** Whether a value is there in the backward pass anyway, for all that this knows. */
    private boolean isThere(Value value, Set<Value> dropped) {
        Node producer = producers.get(value);
        return producer == null || producer.op().again() == null || kept.contains(value) && !dropped.contains(value);
    }

    /** The nodes that must run, in their order, for a value to be there if some are dropped. */
    List<Node> chain(Value value, Set<Value> dropped) {
        List<Node> chain = new ArrayList<>();
        addChain(value, dropped, chain);
        return chain;
    }

    private void addChain(Value value, Set<Value> dropped, List<Node> chain) {
        Node producer = producers.get(value);
        if (producer == null || isThere(value, dropped) || chain.contains(producer)) {
            return;
        }
        producer.inputs().forEach(input -> addChain(input, dropped, chain));
        chain.add(producer);
    }

    /** Forward, then backward with what is dropped of the {@linkplain #kept kept} values computed again before its first use. */
    List<Node> without(Set<Value> dropped) {
        return new Copies(dropped).apply();
    }

    private final class Copies {
        private final Set<Value> dropped;
        private final List<Node> nodes = new ArrayList<>(forward);
        private final Map<Value, Value> again = new HashMap<>();

        Copies(Set<Value> dropped) {
            this.dropped = dropped;
        }

        List<Node> apply() {
            for (Node node : backward) {
                List<Value> inputs = allAgain(node.inputs());
                nodes.add(inputs.equals(node.inputs()) ? node : node.like(node.op(), inputs, node.outputs()));
            }
            return nodes;
        }

        private List<Value> allAgain(List<Value> values) {
            return values.stream().map(this::again).toList();
        }

        private Value again(Value value) {
            Node producer = producers.get(value);
            if (producer == null || isThere(value, dropped)) {
                return value;
            }
            if (!again.containsKey(value)) {
                List<Value> inputs = allAgain(producer.inputs());
                List<Value> outputs = producer.outputs().stream()
                        .map(v -> v.like(v.name() + " again"))
                        .toList();
                nodes.add(producer.like(requireNonNull(producer.op().again()), inputs, outputs));
                for (int i = 0; i < outputs.size(); i++) {
                    again.put(producer.output(i), outputs.get(i));
                }
            }
            return requireNonNull(again.get(value));
        }
    }
}
