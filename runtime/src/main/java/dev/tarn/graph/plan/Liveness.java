package dev.tarn.graph.plan;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which values of a run of nodes share memory, and from where to where each piece of memory is in use. */
public final class Liveness {
    /** First and last use, both included. */
    public record Life(int first, int last) {
        Life to(int position) {
            return new Life(first, Math.max(last, position));
        }
    }

    private final Set<Value> kept;
    private final Map<Value, Value> storage = new HashMap<>();

    /** Decides which values live in the memory of another: views of another shape, and results computed in place. */
    public Liveness(Graph graph, List<Node> nodes) {
        kept = graph.kept();
        Map<Value, Integer> lastUse = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (Value input : nodes.get(i).inputs()) {
                lastUse.put(input, i);
            }
        }
        Map<Value, Integer> storageUse = new HashMap<>(lastUse);
        Set<Value> keptRoots = new HashSet<>(kept);
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            if (node.outputs().isEmpty()) {
                continue;
            }
            Value output = node.output();
            boolean isView = node.op().isView(node);
            int inPlace = isView ? 0 : node.op().inPlaceInput();
            if (inPlace < 0) {
                continue;
            }
            Value root = storageOf(node.input(inPlace));
            boolean ownsRoot = root.kind() == Value.Kind.ACTIVATION
                    && root.byteSize() == output.byteSize()
                    && output.kind() == Value.Kind.ACTIVATION
                    && !keptRoots.contains(root);
            if (kept.contains(output) && isView) {
                keptRoots.add(root);
            }
            if (isView || ownsRoot && storageUse.getOrDefault(root, -1) <= i) {
                storage.put(output, root);
                storageUse.merge(root, lastUse.getOrDefault(output, i), Math::max);
            }
        }
    }

    /** The value in whose memory a value lies. */
    public Value storageOf(Value value) {
        return storage.getOrDefault(value, value);
    }

    /**
     * The life of each piece of memory, named by the value in whose memory others may lie, in order of first use.
     *
     * @param operands what is read or written at each position; what the graph keeps lives until after the last
     */
    public Map<Value, Life> lives(List<? extends Collection<Value>> operands) {
        Map<Value, Life> lives = new LinkedHashMap<>();
        for (int i = 0; i < operands.size(); i++) {
            for (Value operand : operands.get(i)) {
                int position = i;
                lives.compute(
                        storageOf(operand),
                        (v, life) -> life == null ? new Life(position, position) : life.to(position));
            }
        }
        for (Value value : kept) {
            lives.computeIfPresent(storageOf(value), (v, life) -> life.to(operands.size()));
        }
        return lives;
    }
}
