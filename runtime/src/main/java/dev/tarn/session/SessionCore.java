package dev.tarn.session;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.Executor;
import dev.tarn.graph.program.Program;
import dev.tarn.graph.rewrite.Rewrite;
import dev.tarn.kernel.Team;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.memory.SpillFile;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What both kinds of session have: a planned slab of memory, a team of threads, and the rule that one caller runs at a time.
 * While it runs it holds the model's memory, its own and the batch's, so that none can be freed under a kernel.
 */
final class SessionCore implements AutoCloseable {
    /**
     * {@code -Dtarn.checked=true}: dead memory is filled with NaN before each run, so that a read of something stale shows, and
     * outputs that are read after the next run throw. Costs a pass over the slab and a view for each run.
     */
    private static final boolean CHECKED = Boolean.getBoolean("tarn.checked");

    private static final byte NAN_BYTE = (byte) 0xFF;

    private final Model model;
    private final String name;
    private final MemoryPlan plan;
    private final OwnedMemory memory;
    private final MemorySegment slab;
    private final Team team;
    private final AtomicBoolean running = new AtomicBoolean();
    private final MemorySegment[] poisoned;
    private final Path spillFolder;
    private final List<SpillFile> spills = new ArrayList<>();
    private volatile long runs;

    /**
     * Allocates what was planned and registers with the model, which then cannot be closed before this.
     *
     * @param kind what the session does, for its name
     * @throws dev.tarn.memory.MemoryBudgetException if the plan is larger than the options allow
     */
    SessionCore(Model model, String kind, Shape input, MemoryPlanner planner, SessionOptions options) {
        this.model = model;
        this.plan = planner.plan().requireWithin(options.memoryBudget());
        this.spillFolder = options.spillFolder();
        this.name = model.register(kind, input);
        this.memory = OwnedMemory.open(name);
        boolean allocated = false;
        try {
            this.slab = memory.allocate(plan.byteSize());
            this.team = new Team(options.threads());
            allocated = true;
        } finally {
            if (!allocated) {
                memory.close();
                model.unregister(name);
            }
        }
        this.poisoned = CHECKED
                ? plan.buffers().stream()
                        .filter(b -> !b.isPersistent())
                        .map(b -> slab.asSlice(b.offset(), b.byteSize()))
                        .toArray(MemorySegment[]::new)
                : new MemorySegment[0];
    }

    /** Rewrites a traced graph and asks for its memory. */
    static Program program(Graph graph, Value last, SessionOptions options, MemoryPlanner planner) {
        Rewrite.applyAll(graph, options.disabledRewrites());
        return Program.plan(graph, last, options.threads(), planner);
    }

    Executor bind(Program program, Function<Value, MemorySegment> external) {
        open(program.spill());
        return program.bind(slab, plan, external, team);
    }

    /** Opens a file that values or optimizer state move to; it is closed with the session. */
    void open(SpillFile file) {
        if (file.byteSize() > 0) {
            file.open(spillFolder);
            spills.add(file);
        }
    }

    /** An output as the caller gets it: valid until the next run. */
    Tensor output(Tensor view) {
        checkOpen();
        return CHECKED ? view.expiring("the output of " + name, () -> runs) : view;
    }

    /** A view of a value of the program. */
    Tensor tensor(Program program, Value value) {
        MemorySegment segment = program.memory(value, slab, plan);
        if (segment == null) {
            throw new IllegalStateException(value + " has no memory in the session");
        }
        return Tensor.view(segment, value.dtype(), value.shape(), value.layout());
    }

    /** The memory of a buffer that was asked for directly. */
    MemorySegment segment(int buffer) {
        MemoryPlan.Buffer b = plan.buffers().get(buffer);
        return slab.asSlice(b.offset(), b.byteSize());
    }

    MemoryPlan plan() {
        return plan;
    }

    Team team() {
        return team;
    }

    void checkOpen() {
        memory.checkOpen();
    }

    /** Starts a run: one caller at a time, all memory held until {@link #exit}. */
    void enter(@Nullable OwnedMemory batch) {
        if (!running.compareAndSet(false, true)) {
            throw new IllegalStateException(
                    name + " is running in another thread; a session serves one caller at a time");
        }
        int held = 0;
        try {
            memory.acquire();
            held = 1;
            model.owned().acquire();
            held = 2;
            if (batch != null) {
                batch.acquire();
            }
        } catch (RuntimeException e) {
            if (held > 1) {
                model.owned().release();
            }
            if (held > 0) {
                memory.release();
            }
            running.set(false);
            throw e;
        }
    }

    void exit(@Nullable OwnedMemory batch) {
        if (batch != null) {
            batch.release();
        }
        model.owned().release();
        memory.release();
        running.set(false);
    }

    /** Counts a run; whatever the one before left behind is dead. */
    void beginRun() {
        runs++;
        for (int i = 0; i < spills.size(); i++) {
            spills.get(i).drain();
        }
        for (MemorySegment segment : poisoned) {
            segment.fill(NAN_BYTE);
        }
    }

    /** @throws ShapeException if a batch's tensor is not what the session was planned for */
    void requireInput(Value expected, Tensor actual) {
        requireInput(expected, expected.shape(), actual);
    }

    /** As above for a value that is a part of the planned batch only. */
    void requireInput(Value expected, Shape largest, Tensor actual) {
        boolean fits = actual.shape().isBatchOf(largest)
                && actual.dtype() == expected.dtype()
                && actual.layout() == expected.layout();
        if (!fits) {
            throw new ShapeException(
                    name + " " + expected.name(),
                    "%s %s %s".formatted(expected.dtype(), largest, expected.layout()),
                    "%s %s %s".formatted(actual.dtype(), actual.shape(), actual.layout()),
                    "a session takes batches of up to the size it was planned for, in that type and order");
        }
    }

    @Override
    public void close() {
        if (memory.isOpen()) {
            spills.forEach(SpillFile::close);
            memory.close();
            team.close();
            model.unregister(name);
        }
    }
}
