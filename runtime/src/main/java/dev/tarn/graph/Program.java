package dev.tarn.graph;

import dev.tarn.kernel.KernelCall;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.Team;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.MemoryPlanner;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A graph on its way to memory: first the kernels are chosen and every buffer is asked for, then, once the plan exists, they are
 * bound to addresses. What runs is an {@link Executor}.
 */
public final class Program {
    private final Graph graph;
    private final int threads;
    private final List<PlannedStep> steps = new ArrayList<>();
    private final Map<Value, Value> storage = new HashMap<>();
    private final Map<Value, Integer> buffers = new LinkedHashMap<>();
    private int forwardSteps;

    private Program(Graph graph, int threads) {
        this.graph = graph;
        this.threads = threads;
    }

    /**
     * Chooses a kernel for each call and asks the planner for all memory that the graph needs of its own.
     *
     * @param loss the last value of the forward pass
     */
    public static Program plan(Graph graph, Value loss, int threads, MemoryPlanner planner) {
        Program program = new Program(graph, threads);
        program.chooseKernels(loss);
        program.shareStorage();
        program.requestValues(planner);
        program.requestWorkspaces(planner);
        return program;
    }

    private void chooseKernels(Value loss) {
        long batch = graph.inputs().get(0).shape().size(0);
        for (Node node : graph.nodes()) {
            if (node.op() instanceof JavaOp op) {
                steps.add(new JavaStep(node, op));
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

    /** Decides which values live in the memory of another: views of another shape, and results computed in place. */
    private void shareStorage() {
        Map<Value, Integer> lastUse = new HashMap<>();
        List<Node> nodes = graph.nodes();
        for (int i = 0; i < nodes.size(); i++) {
            for (Value input : nodes.get(i).inputs()) {
                lastUse.put(input, i);
            }
        }
        Map<Value, Integer> storageUse = new HashMap<>(lastUse);
        Set<Value> keptRoots = new HashSet<>(graph.kept());
        for (int i = 0; i < nodes.size(); i++) {
            Node node = nodes.get(i);
            if (node.outputs().isEmpty()) {
                continue;
            }
            Value output = node.output();
            boolean isView = node.op().calls(node).isEmpty() && !(node.op() instanceof JavaOp);
            int inPlace = isView ? 0 : node.op().inPlaceInput();
            if (inPlace < 0) {
                continue;
            }
            Value root = storageOf(node.input(inPlace));
            boolean ownsRoot = root.kind() == Value.Kind.ACTIVATION
                    && root.byteSize() == output.byteSize()
                    && output.kind() == Value.Kind.ACTIVATION
                    && !keptRoots.contains(root);
            if (graph.kept().contains(output) && isView) {
                keptRoots.add(root);
            }
            if (isView || ownsRoot && storageUse.getOrDefault(root, -1) <= i) {
                storage.put(output, root);
                storageUse.merge(root, lastUse.getOrDefault(output, i), Math::max);
            }
        }
    }

    private Value storageOf(Value value) {
        return storage.getOrDefault(value, value);
    }

    private void requestValues(MemoryPlanner planner) {
        Map<Value, int[]> lives = new LinkedHashMap<>();
        for (int i = 0; i < steps.size(); i++) {
            for (Value operand : steps.get(i).operands()) {
                int step = i;
                lives.computeIfAbsent(storageOf(operand), v -> new int[] {step, step})[1] = i;
            }
        }
        for (Value kept : graph.kept()) {
            int[] life = lives.get(storageOf(kept));
            if (life != null) {
                life[1] = steps.size();
            }
        }
        lives.forEach((value, life) -> {
            switch (value.kind()) {
                case ACTIVATION ->
                    buffers.put(
                            value, planner.add(value.name(), Family.ACTIVATIONS, value.byteSize(), life[0], life[1]));
                case WORKSPACE ->
                    buffers.put(value, planner.add(value.name(), Family.WORKSPACE, value.byteSize(), life[0], life[1]));
                case CONSTANT ->
                    buffers.put(value, planner.addPersistent(value.name(), Family.WORKSPACE, value.byteSize()));
                case INPUT, PARAMETER, GRADIENT, SETTING -> {
                    // in memory of the batch, the model and the session
                }
            }
        });
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
                new PlannedStep.Binding(slab, plan, this::storageOf, value -> address(value, slab, plan, external));
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
        return storageOf(value).kind() == Value.Kind.INPUT ? MemorySegment.NULL : external.apply(value);
    }

    /** The memory of a value in the slab; null if it has none there. */
    public @Nullable MemorySegment memory(Value value, MemorySegment slab, MemoryPlan plan) {
        Integer buffer = buffers.get(storageOf(value));
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
