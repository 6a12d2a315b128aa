package dev.tarn.graph.program;

import dev.tarn.graph.Graph;
import dev.tarn.graph.JavaOp;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.TransferOp;
import dev.tarn.graph.plan.BudgetSearch;
import dev.tarn.graph.plan.Liveness;
import dev.tarn.kernel.KernelCall;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.Team;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.memory.SpillFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A graph on its way to memory: first the kernels are chosen and every buffer is asked for, then, once the plan exists, they are
 * bound to addresses. What runs is an {@link Executor}.
 */
public final class Program {
    private static final int TRIES = 12;

    private final Graph graph;
    private final int threads;
    private final List<PlannedStep> steps = new ArrayList<>();
    private final Liveness liveness;
    private final Map<Value, Integer> buffers = new LinkedHashMap<>();
    private SpillFile spill = new SpillFile();
    private int forwardSteps;

    private Program(Graph graph, int threads) {
        this.graph = graph;
        this.threads = threads;
        this.liveness = new Liveness(graph, graph.nodes());
    }

    /**
     * Chooses a kernel for each call and asks the planner for all memory that the graph needs of its own.
     *
     * @param loss the last value of the forward pass
     */
    public static Program plan(Graph graph, Value loss, int threads, MemoryPlanner planner) {
        Program program = new Program(graph, threads);
        program.chooseKernels(loss);
        program.requestValues(planner);
        program.requestWorkspaces(planner);
        return program;
    }

    /**
     * As {@link #plan}; where that is more than a budget, the backward pass computes values again that would be kept and, if need
     * be, moves others to a file and back. No bit of the result changes. The graph's nodes become those that run. If no way
     * is found, the smallest plan is left to the planner, whose owner refuses it.
     *
     * @param budget most bytes of the planner's whole plan
     */
    public static Program planWithin(Graph graph, Value loss, int threads, MemoryPlanner planner, long budget) {
        int before = planner.size();
        Program whole = plan(graph, loss, threads, planner);
        if (planner.plan().byteSize() <= budget) {
            return whole;
        }
        var search = new BudgetSearch(graph, loss, whole.ownBytes());
        long fixed = planner.persistentBytes();
        long room = budget - fixed;
        for (int i = 0; i < TRIES && room > 0; i++) {
            BudgetSearch.Choice choice = search.within(room);
            Program program = replan(graph, loss, threads, planner, before, choice);
            long over = planner.plan().byteSize() - budget;
            if (over <= 0) {
                return program;
            }
            if (choice.peak() > room) {
                break;
            }
            room = Math.min(choice.peak(), room) - over;
        }
        return replan(graph, loss, threads, planner, before, search.within(0));
    }

    private static Program replan(
            Graph graph, Value loss, int threads, MemoryPlanner planner, int before, BudgetSearch.Choice choice) {
        planner.shrink(before);
        graph.nodes().clear();
        graph.nodes().addAll(choice.nodes());
        Program program = plan(graph, loss, threads, planner);
        program.spill = choice.file();
        return program;
    }

    private Map<Node, Long> ownBytes() {
        Map<Node, Long> bytes = new HashMap<>();
        steps.forEach(step -> bytes.merge(step.node(), step.ownBytes(), Math::max));
        return bytes;
    }

    /** The file that values move to and back; it has no bytes if none do. Whoever binds the program opens it first. */
    public SpillFile spill() {
        return spill;
    }

    /** Multiplications and additions of a forward and backward pass over the largest batch, by the direct definition. */
    public long flops() {
        return graph.nodes().stream().mapToLong(n -> n.op().flops(n)).sum();
    }

    /** How many of them compute again what was not kept. */
    public long repeatedFlops() {
        return graph.nodes().stream()
                .filter(Node::isRepeat)
                .mapToLong(n -> n.op().flops(n))
                .sum();
    }

    private void chooseKernels(Value loss) {
        long batch = graph.inputs().get(0).shape().size(0);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof JavaOp op) {
                steps.add(new JavaStep(node, op));
            }
            if (node.op() instanceof TransferOp op) {
                steps.add(new TransferStep(node, op));
            }
            for (KernelCall<Value> call : node.op().calls(node)) {
                try {
                    steps.add(new KernelStep(node, Kernels.plan(call, batch), threads));
                } catch (IllegalArgumentException e) {
                    throw new IllegalArgumentException(node.path() + ": " + e.getMessage(), e);
                }
            }
            if (node.outputs().contains(loss)) {
                forwardSteps = steps.size();
            }
        }
    }

    private void requestValues(MemoryPlanner planner) {
        liveness.lives(steps.stream().map(PlannedStep::operands).toList()).forEach((value, life) -> {
            switch (value.kind()) {
                case ACTIVATION -> buffers.put(value, add(planner, value, Family.ACTIVATIONS, life));
                case WORKSPACE -> buffers.put(value, add(planner, value, Family.WORKSPACE, life));
                case CONSTANT ->
                    buffers.put(value, planner.addPersistent(value.name(), Family.WORKSPACE, value.byteSize()));
                case INPUT, PARAMETER, GRADIENT, SETTING -> {
                    // in memory of the batch, the model and the session
                }
            }
        });
    }

    private static int add(MemoryPlanner planner, Value value, Family family, Liveness.Life life) {
        return planner.add(value.name(), family, value.byteSize(), life.first(), life.last());
    }

    private void requestWorkspaces(MemoryPlanner planner) {
        for (int i = 0; i < steps.size(); i++) {
            steps.get(i).request(planner, i);
        }
    }

    /**
     * Gives every step its memory, and constants their numbers.
     *
     * @param slab the memory of the plan
     * @param external memory of parameters and gradients
     */
    public Executor bind(MemorySegment slab, MemoryPlan plan, Function<Value, MemorySegment> external, Team team) {
        var binding =
                new PlannedStep.Binding(slab, plan, liveness::storageOf, value -> address(value, slab, plan, external));
        graph.constants()
                .forEach((value, numbers) -> MemorySegment.copy(
                        numbers, 0, address(value, slab, plan, external), ValueLayout.JAVA_DOUBLE, 0, numbers.length));
        BoundStep[] bound = steps.stream().map(step -> step.bind(binding)).toArray(BoundStep[]::new);
        return new Executor(team, bound, forwardSteps, binding, steps);
    }

    private MemorySegment address(
            Value value, MemorySegment slab, MemoryPlan plan, Function<Value, MemorySegment> external) {
        MemorySegment memory = memory(value, slab, plan);
        if (memory != null) {
            return memory;
        }
        return liveness.storageOf(value).kind() == Value.Kind.INPUT ? MemorySegment.NULL : external.apply(value);
    }

    /** The memory of a value in the slab; null if it has none there. */
    public @Nullable MemorySegment memory(Value value, MemorySegment slab, MemoryPlan plan) {
        Integer buffer = buffers.get(liveness.storageOf(value));
        return buffer == null ? null : slice(slab, plan, buffer);
    }

    private static MemorySegment slice(MemorySegment slab, MemoryPlan plan, int buffer) {
        MemoryPlan.Buffer b = plan.buffers().get(buffer);
        return slab.asSlice(b.offset(), b.byteSize());
    }

    /** The names of the chosen kernels, in order: what ran, for reports. */
    public List<String> kernelNames() {
        return steps.stream().map(PlannedStep::name).toList();
    }
}
