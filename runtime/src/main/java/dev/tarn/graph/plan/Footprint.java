package dev.tarn.graph.plan;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import java.util.List;
import java.util.Map;

/**
 * How many bytes are in use at once while nodes run, without placing them: a plan takes at least as much, and rarely a few percent
 * more.
 *
 * @param peak bytes at most
 * @param at the node during which they are
 */
public record Footprint(long peak, int at) {
    /**
     * @param kernelBytes what the kernels of a node, or of its {@linkplain Node#origin origin}, take beside its values
     */
    static Footprint of(Graph graph, List<Node> nodes, Map<Node, Long> kernelBytes) {
        Liveness liveness = new Liveness(graph, nodes);
        long[] change = new long[nodes.size() + 2];
        liveness.lives(nodes.stream().map(Node::operands).toList()).forEach((value, life) -> {
            if (value.kind() == Value.Kind.ACTIVATION || value.kind() == Value.Kind.WORKSPACE) {
                change[life.first()] += value.byteSize();
                change[life.last() + 1] -= value.byteSize();
            }
        });
        long bytes = 0;
        long peak = 0;
        int at = 0;
        for (int i = 0; i < nodes.size(); i++) {
            bytes += change[i];
            long here = bytes + kernelBytes.getOrDefault(nodes.get(i).origin(), 0L);
            if (here > peak) {
                peak = here;
                at = i;
            }
        }
        return new Footprint(peak, at);
    }
}
