package dev.tarn.graph.plan;

import static java.util.Objects.requireNonNull;

import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.TransferOp;
import dev.tarn.graph.op.TransferOp.Phase;
import dev.tarn.memory.SpillFile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Moves values that the backward pass reads to a file and back, while other nodes run: each is written after its last use in the
 * forward pass and read before its first use in the backward pass.
 */
final class Spilling {
    private final List<Node> nodes;
    private final int lead;
    private final SpillFile file;
    private final Map<Integer, List<Node>> before = new HashMap<>();
    private final Map<Value, Integer> movedAt = new HashMap<>();
    private final Map<Value, Value> moved = new HashMap<>();

    private Spilling(List<Node> nodes, int lead, SpillFile file) {
        this.nodes = nodes;
        this.lead = lead;
        this.file = file;
    }

    /**
     * The nodes with transfers between them.
     *
     * @param forward how many nodes the forward pass has
     * @param lead how many nodes a transfer has time for
     * @param file where room is reserved
     */
    static List<Node> of(List<Node> nodes, int forward, Collection<Value> spilled, int lead, SpillFile file) {
        Spilling spilling = new Spilling(nodes, lead, file);
        Map<Value, int[]> gaps = gaps(nodes, forward);
        spilled.forEach(v -> spilling.spill(v, requireNonNull(gaps.get(v))));
        return spilling.apply();
    }

    /** For each value the last node that makes or reads it in the forward pass, and the first after it. */
    static Map<Value, int[]> gaps(List<Node> nodes, int forward) {
        Map<Value, int[]> gaps = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (Value value : nodes.get(i).operands()) {
                int[] gap = gaps.computeIfAbsent(value, v -> new int[] {-1, nodes.size()});
                if (i < forward) {
                    gap[0] = i;
                } else {
                    gap[1] = Math.min(gap[1], i);
                }
            }
        }
        return gaps;
    }

    private void spill(Value value, int[] gap) {
        int stored = Math.min(gap[0] + 1 + lead, gap[1]);
        int load = Math.max(stored, gap[1] - lead);
        SpillFile.Slot slot = file.reserve(value.name(), value.byteSize());
        Value back = value.like(value.name() + " back");
        insert(gap[0] + 1, Phase.STORE, slot, value, List.of(value), List.of());
        insert(stored, Phase.STORED, slot, value, List.of(value), List.of());
        insert(load, Phase.LOAD, slot, value, List.of(), List.of(back));
        insert(gap[1], Phase.LOADED, slot, value, List.of(back), List.of());
        movedAt.put(value, gap[1]);
        moved.put(value, back);
    }

    private void insert(
            int position, Phase phase, SpillFile.Slot slot, Value value, List<Value> inputs, List<Value> outputs) {
        before.computeIfAbsent(position, p -> new ArrayList<>())
                .add(value.graph().createFor(new TransferOp(phase, slot), value.name(), inputs, outputs));
    }

    private List<Node> apply() {
        List<Node> all = new ArrayList<>();
        for (int i = 0; i < nodes.size(); i++) {
            all.addAll(before.getOrDefault(i, List.of()));
            Node node = nodes.get(i);
            int position = i;
            List<Value> inputs = node.inputs().stream()
                    .map(v -> movedAt.getOrDefault(v, nodes.size()) <= position ? moved.getOrDefault(v, v) : v)
                    .toList();
            all.add(inputs.equals(node.inputs()) ? node : node.like(node.op(), inputs, node.outputs()));
        }
        return all;
    }
}
