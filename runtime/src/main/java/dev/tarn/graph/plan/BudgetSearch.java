package dev.tarn.graph.plan;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.plan.KeptGroups.Group;
import dev.tarn.memory.SpillFile;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Looks for the cheapest way of running a training graph within so many bytes: what the backward pass computes again and, where that is
 * not enough, what goes to a file and back. It looks at segments of many sizes between kept values, then keeps again what need not
 * be given up, dearest first. Nothing here runs or allocates, and the same graph always gives the same answer.
 */
public final class BudgetSearch {
    /**
     * A way of running the graph.
     *
     * @param nodes with copies and transfers
     * @param file what the transfers need
     * @param footprint bytes in use at most, beside what is always there
     * @param cost in multiplications and additions
     */
    public record Choice(List<Node> nodes, SpillFile file, Footprint footprint, double cost) {
        public long peak() {
            return footprint.peak();
        }
    }

    /** What a byte costs that goes to a file and back, in multiplications and additions in the meantime. */
    private static final double WORK_OF_A_SPILLED_BYTE = 1200;

    private static final double[] DEAREST = {100, 1000, Double.POSITIVE_INFINITY};
    private static final double SEGMENT_RATIO = 1.4;
    private static final int MOST_SEGMENTS = 64;
    private static final int TRIES_TO_KEEP = 200;
    private static final int[] LEADS = {32, 8, 3};

    private record Dropping(Set<Group> dropped, List<Node> nodes, Footprint footprint, double cost) {
        long peak() {
            return footprint.peak();
        }
    }

    private final Graph graph;
    private final Map<Node, Long> kernelBytes;
    private final Rematerialization source;
    private final KeptGroups groups;
    private final List<Dropping> droppings = new ArrayList<>();

    /** @param kernelBytes what the kernels of a node take beside its values while it runs */
    public BudgetSearch(Graph graph, Value loss, Map<Node, Long> kernelBytes) {
        this.graph = graph;
        this.kernelBytes = kernelBytes;
        source = new Rematerialization(graph, loss);
        groups = new KeptGroups(graph, source);
        Set<Set<Group>> seen = new LinkedHashSet<>(Set.of(Set.of()));
        long total = groups.all().stream().mapToLong(Group::byteSize).sum();
        for (double dearest : DEAREST) {
            for (double segment = total; segment > total / MOST_SEGMENTS; segment /= SEGMENT_RATIO) {
                seen.add(groups.cut((long) segment, dearest));
            }
        }
        seen.forEach(dropped -> droppings.add(drop(dropped)));
    }

    private Dropping drop(Set<Group> dropped) {
        List<Node> nodes = source.without(
                dropped.stream().flatMap(g -> g.values().stream()).collect(Collectors.toSet()));
        double cost = KeptGroups.work(nodes.stream().filter(Node::isRepeat).toList());
        return new Dropping(dropped, nodes, Footprint.of(graph, nodes, kernelBytes), cost);
    }

    /** The cheapest way found that takes at most so many bytes at once; the smallest if none does. */
    public Choice within(long bytes) {
        Dropping cheapest = droppings.stream()
                .filter(d -> d.peak() <= bytes)
                .min(Comparator.comparingDouble(Dropping::cost))
                .orElse(null);
        if (cheapest != null) {
            Dropping best = keepMore(cheapest, bytes);
            return new Choice(best.nodes(), new SpillFile(), best.footprint(), best.cost());
        }
        List<Choice> choices = droppings.stream().map(d -> spill(d, bytes)).toList();
        return choices.stream()
                .filter(c -> c.peak() <= bytes)
                .min(Comparator.comparingDouble(Choice::cost))
                .orElseGet(() -> choices.stream()
                        .min(Comparator.comparingLong(Choice::peak))
                        .orElseThrow());
    }

    /** Keeps again what the budget has room for. */
    private Dropping keepMore(Dropping start, long bytes) {
        Dropping best = start;
        List<Group> dearest = start.dropped().stream()
                .sorted(Comparator.comparingDouble(Group::work).reversed())
                .limit(TRIES_TO_KEEP)
                .toList();
        for (Group group : dearest) {
            Set<Group> fewer = new LinkedHashSet<>(best.dropped());
            fewer.remove(group);
            Dropping kept = drop(fewer);
            if (kept.peak() <= bytes && kept.cost() < best.cost()) {
                best = kept;
            }
        }
        return best;
    }

    /** Sends values to a file until the peak is low enough or none is left that would lower it. */
    private Choice spill(Dropping start, long bytes) {
        List<Value> candidates = groups.all().stream()
                .filter(g -> g.values().size() == 1 && !start.dropped().contains(g))
                .map(g -> g.values().iterator().next())
                .sorted(Comparator.comparingLong((Value v) -> -v.byteSize()))
                .collect(Collectors.toCollection(ArrayList::new));
        Set<Value> spilled = new LinkedHashSet<>();
        Choice choice = spill(start, spilled, 1);
        while (choice.peak() > bytes) {
            Collection<Value> chosen = across(choice, candidates, choice.peak() - bytes);
            if (chosen.isEmpty()) {
                return choice;
            }
            spilled.addAll(chosen);
            candidates.removeAll(chosen);
            choice = spill(start, spilled, 1);
        }
        for (int lead : LEADS) {
            Choice earlier = spill(start, spilled, lead);
            if (earlier.peak() <= bytes) {
                return earlier;
            }
        }
        return choice;
    }

    private Choice spill(Dropping start, Collection<Value> spilled, int lead) {
        SpillFile file = new SpillFile();
        List<Node> nodes = Spilling.of(start.nodes(), source.forward().size(), spilled, lead, file);
        Footprint footprint = Footprint.of(graph, nodes, kernelBytes);
        return new Choice(nodes, file, footprint, start.cost() + WORK_OF_A_SPILLED_BYTE * file.byteSize());
    }

    /** The largest of some values that nobody reads around the peak, as many as make up for so many bytes. */
    private List<Value> across(Choice choice, Collection<Value> candidates, long bytes) {
        List<Node> nodes = choice.nodes();
        int peak = choice.footprint().at();
        int forward = nodes.indexOf(source.forward().getLast()) + 1;
        Map<Value, int[]> gaps = Spilling.gaps(nodes, forward);
        List<Value> chosen = new ArrayList<>();
        long freed = 0;
        for (Value value : candidates) {
            int[] gap = gaps.get(value);
            // A transfer takes the node after or before it too.
            if (freed < bytes && gap != null && gap[0] + 2 < peak && peak + 2 < gap[1]) {
                chosen.add(value);
                freed += value.byteSize();
            }
        }
        return chosen;
    }
}
