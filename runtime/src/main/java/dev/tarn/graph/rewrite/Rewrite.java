package dev.tarn.graph.rewrite;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A pass that replaces nodes by cheaper ones. With any pass turned off the results agree within rounding. */
public interface Rewrite {
    /** Its name, by which it can be turned off: {@code fuse-activation}. */
    String name();

    void apply(Graph graph);

    /** All passes for a mode, in the order in which they must run. */
    static List<Rewrite> all(Graph.Mode mode) {
        return mode == Graph.Mode.INFERENCE
                ? List.of(new FuseBias(), new FoldBatchNorm(), new FuseAdd(), new FuseActivation())
                : List.of(new FuseBias(), new FuseAdd(), new FuseActivation(), new FuseActivationBackward());
    }

    /** Applies all passes for the graph's mode but those named. */
    static void applyAll(Graph graph, Set<String> disabled) {
        for (Rewrite rewrite : all(graph.mode())) {
            if (!disabled.contains(rewrite.name())) {
                rewrite.apply(graph);
            }
        }
    }

    /** The node that computes a value, if no other than {@code consumer} reads the value. */
    static @Nullable Node soleProducer(Graph graph, Value value, Node consumer) {
        List<Node> consumers = graph.consumers(value);
        return !graph.kept().contains(value) && consumers.size() == 1 && consumers.get(0) == consumer
                ? value.producer()
                : null;
    }

    /** Puts one node where {@code last} was, and removes the other. */
    static void replace(Graph graph, Node first, Node last, Node fused) {
        graph.nodes().set(graph.nodes().indexOf(last), fused);
        graph.nodes().remove(first);
    }
}
