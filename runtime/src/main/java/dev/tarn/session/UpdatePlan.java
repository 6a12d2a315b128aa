package dev.tarn.session;

import dev.tarn.graph.Parameter.Role;
import dev.tarn.kernel.KernelCall;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.PlannedKernel;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.memory.SpillFile;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.Group;
import dev.tarn.optim.Optimizer;
import dev.tarn.session.ParameterTable.Range;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Which kernels an update runs over which ranges of flat memory, and the memory that it asks for: in this order
 * gradients are clipped, parameters updated, weights projected. A range is as many neighbouring parameters as one
 * kernel may take together; if the optimizer's state lies in a file, no more than pass through memory at once.
 */
final class UpdatePlan {
    /** A kernel over a range of flat memory, and the buffer of its arguments. */
    record Call(PlannedKernel<String> kernel, long start, long byteSize, int arguments) {}

    /** Where the optimizer's state lies. */
    enum State {
        IN_MEMORY,
        /** In a file: in memory are two windows of it, one being updated while the other moves. */
        SPILLED
    }

    /** The sums of a group's parameters that its part of the loss is made of. */
    record Penalty(Group group, Call sums) {}

    /** Gradients whose norm is limited together, those of a layer; the whole model has no name. */
    record Clip(String name, List<Call> sums, List<Call> scales) {}

    /** Bytes of state that move at once. */
    static final long WINDOW = 1 << 22;

    /** Operands beside those of the optimizer. */
    static final String SUMS = "sums";

    static final String FACTOR = "factor";

    final List<Clip> normClips = new ArrayList<>();
    final List<Call> valueClips = new ArrayList<>();
    final List<Call> updates = new ArrayList<>();
    final List<Call> projections = new ArrayList<>();
    final List<Penalty> penalties = new ArrayList<>();

    /** Buffers of the optimizer's state, or of its windows. */
    final Map<String, Integer> state = new LinkedHashMap<>();

    /** Of spilled state the places in the file, as long as flat memory each. */
    final Map<String, SpillFile.Slot> spilled = new LinkedHashMap<>();

    /** The file of spilled state; it has no bytes if there is none. */
    final SpillFile file = new SpillFile();

    final int gradients;

    /** Four numbers that kernels read or write at run time: the rate, a factor, two sums. */
    final int numbers;

    /** What a kernel shares among its tasks, one kernel at a time; -1 if none does. */
    final int shared;

    final Clipping clipping;

    private final ParameterTable table;
    private final Optimizer optimizer;
    private final MemoryPlanner planner;
    private long sharedBytes;

    UpdatePlan(ParameterTable table, Optimizer optimizer, State where, MemoryPlanner planner) {
        this.table = table;
        this.optimizer = optimizer;
        this.planner = planner;
        this.clipping = optimizer.clipping();
        requireGroupsAreThere();
        gradients = planner.addPersistent("gradients", Family.GRADIENTS, table.trainableByteSize());
        for (String name : optimizer.state()) {
            long bytes = table.trainableByteSize();
            if (where == State.SPILLED) {
                spilled.put(name, file.reserve(name, bytes));
                bytes = 2 * Math.min(WINDOW, bytes);
            }
            state.put(name, planner.addPersistent(name, Family.OPTIMIZER, bytes));
        }
        numbers = planner.addPersistent("numbers of the update", Family.ARGUMENTS, 4 * Double.BYTES);
        planClipping();
        planUpdates();
        planProjections();
        shared = sharedBytes == 0 ? -1 : planner.addPersistent("sums of blocks", Family.WORKSPACE, sharedBytes);
    }

    private void requireGroupsAreThere() {
        List<String> paths = table.learned().stream().map(Range::path).toList();
        for (Group group : optimizer.groups()) {
            if (paths.stream().noneMatch(group::contains)) {
                throw new IllegalArgumentException("no learned parameter is called %s; they begin with %s"
                        .formatted(group.pattern(), String.join(", ", paths.subList(0, Math.min(3, paths.size())))));
            }
        }
    }

    /** What holds for a parameter: strengths that do not apply to it are left out. */
    private Group groupOf(Range range) {
        Group group = optimizer.groups().stream()
                .filter(g -> g.contains(range.path()))
                .findFirst()
                .orElse(Group.all());
        return range.parameter().role() == Role.WEIGHT ? group : group.ofBiases();
    }

    private void planClipping() {
        switch (clipping.kind()) {
            case NONE -> {}
            case NORM -> normClips.add(clip("", List.of(all())));
            case LAYER_NORM -> {
                Map<String, List<Range>> layers = new LinkedHashMap<>();
                for (Range range : table.learned()) {
                    String layer =
                            range.path().substring(0, Math.max(0, range.path().lastIndexOf('.')));
                    layers.computeIfAbsent(layer, l -> new ArrayList<>()).add(range);
                }
                layers.forEach((layer, ranges) -> normClips.add(clip(layer, ranges)));
            }
            case VALUE -> {
                Range all = all();
                valueClips.add(call(
                        once("clip_value", all).set("limit", clipping.limit()).set("grad", Optimizer.GRADIENTS), all));
            }
        }
    }

    private Range all() {
        List<Range> learned = table.learned();
        return learned.getFirst().to(learned.getLast());
    }

    private Clip clip(String name, List<Range> ranges) {
        List<Call> squares = new ArrayList<>();
        List<Call> scales = new ArrayList<>();
        for (Range range : ranges) {
            squares.add(sums(Optimizer.GRADIENTS, range));
            scales.add(call(once("clip_norm", range).set("factor", FACTOR).set("grad", Optimizer.GRADIENTS), range));
        }
        return new Clip(name, squares, scales);
    }

    private void planUpdates() {
        List<Range> learned = table.learned();
        for (int i = 0; i < learned.size(); ) {
            Range first = learned.get(i);
            Group group = groupOf(first);
            Range last = first;
            for (i++; i < learned.size() && groupOf(learned.get(i)).equals(group); i++) {
                last = learned.get(i);
            }
            Range run = first.to(last);
            long pieces = spilled.isEmpty() ? run.byteSize() : WINDOW;
            for (long at = 0; at < run.byteSize(); at += pieces) {
                Range piece = run.part(at, Math.min(pieces, run.byteSize() - at));
                updates.add(call(optimizer.update(table.dtype(), group, elements(piece)), piece));
            }
            if (group.l1() > 0 || group.l2() > 0) {
                penalties.add(new Penalty(group, sums(Optimizer.PARAMETERS, run)));
            }
        }
    }

    private void planProjections() {
        for (Range range : table.learned()) {
            double largest = groupOf(range).maxNorm();
            if (largest < Double.POSITIVE_INFINITY) {
                long outputs = range.parameter().shape().size(0);
                projections.add(call(
                        KernelCall.<String>of("max_norm", table.dtype())
                                .once()
                                .set("rows", range.parameter().shape().elementCount() / outputs)
                                .set("c", outputs)
                                .set("limit", largest)
                                .set("weight", Optimizer.PARAMETERS),
                        range));
            }
        }
    }

    private Call sums(String of, Range range) {
        return call(once("sums", range).set("input", of).set("sums", SUMS), range);
    }

    private KernelCall<String> once(String op, Range range) {
        return KernelCall.<String>of(op, table.dtype()).once().set("count", elements(range));
    }

    private long elements(Range range) {
        return range.byteSize() / table.dtype().byteSize();
    }

    private Call call(KernelCall<String> call, Range range) {
        PlannedKernel<String> kernel = Kernels.plan(call, 1);
        if (kernel.scratchBytes() != 0) {
            throw new IllegalStateException("kernels of an update take no scratch memory: " + kernel.name());
        }
        sharedBytes = Math.max(sharedBytes, kernel.sharedBytes());
        int arguments = planner.addPersistent(call.op(), Family.ARGUMENTS, kernel.argumentBytes(1));
        return new Call(kernel, range.start(), range.byteSize(), arguments);
    }
}
