package dev.tarn.graph.plan;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a training graph keeps from its forward to its backward pass, by pieces of memory in the order in which they are made, and which
 * of it to give up for a smaller peak.
 */
final class KeptGroups {
    /**
     * Values in one piece of memory.
     *
     * @param made position of the node that makes the first
     * @param used position of the last node of the forward pass that reads one
     * @param work what making them again would cost if everything else were there, see {@link #work}
     */
    record Group(Set<Value> values, long byteSize, int made, int used, double work) {
        double workPerByte() {
            return work / byteSize;
        }
    }

    /** Multiplications and additions that a core makes while one byte moves between it and memory, roughly. */
    private static final double WORK_OF_A_BYTE = 16;

    /** Smaller pieces, such as statistics of channels, are always kept. */
    private static final long LEAST_BYTES = 1 << 12;

    private final List<Group> groups = new ArrayList<>();
    private final long[] crossing;

    KeptGroups(Graph graph, Rematerialization source) {
        List<Node> forward = source.forward();
        Map<Value, Integer> made = new HashMap<>();
        Map<Value, Integer> used = new HashMap<>();
        for (int i = 0; i < forward.size(); i++) {
            for (Value output : forward.get(i).outputs()) {
                made.put(output, i);
                used.put(output, i);
            }
            for (Value input : forward.get(i).inputs()) {
                used.put(input, i);
            }
        }
        Liveness liveness = new Liveness(graph, graph.nodes());
        Map<Value, Set<Value>> byStorage = new LinkedHashMap<>();
        for (Node node : forward) {
            for (Value value : node.outputs()) {
                boolean repeatable = node.op().again() != null && !graph.kept().contains(value);
                if (source.kept().contains(value) && repeatable && value.byteSize() >= LEAST_BYTES) {
                    byStorage
                            .computeIfAbsent(liveness.storageOf(value), v -> new LinkedHashSet<>())
                            .add(value);
                }
            }
        }
        crossing = new long[forward.size()];
        for (Set<Value> values : byStorage.values()) {
            Set<Node> chain = new LinkedHashSet<>();
            values.forEach(v -> chain.addAll(source.chain(v, values)));
            int first =
                    values.stream().mapToInt(v -> made.getOrDefault(v, 0)).min().orElse(0);
            int last =
                    values.stream().mapToInt(v -> used.getOrDefault(v, 0)).max().orElse(0);
            long bytes = values.iterator().next().byteSize();
            groups.add(new Group(values, bytes, first, last, work(chain)));
            for (int i = first; i < last; i++) {
                crossing[i] += bytes;
            }
        }
    }

    List<Group> all() {
        return groups;
    }

    /** The time of nodes in multiplications and additions of one core: what they compute and the bytes that they move. */
    static double work(Iterable<Node> nodes) {
        double work = 0;
        for (Node node : nodes) {
            work += node.op().flops(node);
            for (Value value : node.operands()) {
                work += WORK_OF_A_BYTE * value.byteSize();
            }
        }
        return work;
    }

    /**
     * What to give up if segments between kept values may hold so many bytes: all but what crosses from one to the next, which
     * is cut where the least does.
     *
     * @param dearest the most that making a byte again may cost
     */
    Set<Group> cut(long segmentBytes, double dearest) {
        Set<Group> dropped = new LinkedHashSet<>(groups);
        dropped.removeIf(g -> g.workPerByte() > dearest);
        long bytes = 0;
        int begin = 0;
        for (int i = 0; i < groups.size(); i++) {
            bytes += groups.get(i).byteSize();
            if (bytes <= segmentBytes) {
                continue;
            }
            int cut = narrowest(begin, groups.get(i).made());
            dropped.removeIf(g -> g.made() <= cut && g.used() > cut);
            begin = cut + 1;
            bytes = 0;
            for (int j = 0; j <= i; j++) {
                bytes += groups.get(j).made() > cut ? groups.get(j).byteSize() : 0;
            }
        }
        return dropped;
    }

    /** The last of those positions that the least crosses. */
    private int narrowest(int from, int to) {
        int best = to;
        for (int i = to - 1; i >= from; i--) {
            if (crossing[i] < crossing[best]) {
                best = i;
            }
        }
        return best;
    }
}
