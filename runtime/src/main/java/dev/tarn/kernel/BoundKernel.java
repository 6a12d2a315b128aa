package dev.tarn.kernel;

import dev.tarn.ffm.kernels.PlanLayout;
import dev.tarn.ffm.kernels.Status;
import dev.tarn.ffm.kernels.TarnLibrary;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A kernel with its argument blocks written: running it validates nothing, looks nothing up and allocates nothing. The memory
 * that the blocks point to must be held open by the caller while it runs.
 */
public final class BoundKernel {
    private final TarnLibrary library = TarnLibrary.get();
    private final PlannedKernel<?> planned;
    private final MemorySegment[] blocks;
    private final MemorySegment plan;
    private final MemorySegment[] phases;
    private final long[] tasks;
    private final double[] taskNanos;
    private final long batchOffset;

    BoundKernel(PlannedKernel<?> planned, MemorySegment[] blocks, MemorySegment plan) {
        this.planned = planned;
        this.blocks = blocks;
        this.plan = plan;
        this.phases = planned.variant().phases().toArray(MemorySegment[]::new);
        this.tasks = new long[phases.length];
        this.taskNanos = new double[phases.length];
        Arrays.fill(taskNanos, Double.POSITIVE_INFINITY);
        this.batchOffset = planned.struct().field("n").offset();
    }

    /** {@code conv2d_forward_f32__avx512} */
    public String name() {
        return planned.variant().name();
    }

    public int phases() {
        return phases.length;
    }

    /** Tasks of a phase at the current batch; 0 skips it. */
    public long tasks(int phase) {
        return tasks[phase];
    }

    /** The shortest time that a task of a phase has taken, in nanoseconds; infinite before the first. */
    double taskNanos(int phase) {
        return taskNanos[phase];
    }

    /** Notes that tasks of a phase took so long together; called by one thread at a time. */
    void timed(int phase, long count, long nanos) {
        taskNanos[phase] = Math.min(taskNanos[phase], (double) nanos / count);
    }

    /** Sets how many examples the next runs have: at most as many as were planned. Until then a run has no tasks. */
    public void setBatch(long n) {
        if (n < 0 || n > planned.n()) {
            throw new IllegalArgumentException("batch of %d where %d were planned".formatted(n, planned.n()));
        }
        for (MemorySegment block : blocks) {
            block.set(ValueLayout.JAVA_LONG, batchOffset, n);
        }
        int code = library.plan(planned.variant().planner(), blocks[0], plan);
        if (code != 0) { // a batch that comes in unequal parts gets here in each step: no message is made in vain
            Status.check(planned.variant().name() + " plan for n=" + n, code);
        }
        if (PlanLayout.shared(plan) > planned.sharedBytes() || PlanLayout.scratch(plan) > planned.scratchBytes()) {
            throw new IllegalStateException(
                    "%s needs more memory for n=%d than for n=%d".formatted(name(), n, planned.n()));
        }
        for (int phase = 0; phase < tasks.length; phase++) {
            tasks[phase] = PlanLayout.tasks(plan, phase);
        }
    }

    /** Points an operand at an address; used for batches, which are bound and not copied. */
    public void setOperand(String field, long address) {
        long offset = planned.struct().field(field).offset();
        for (MemorySegment block : blocks) {
            block.set(ValueLayout.JAVA_LONG, offset, address);
        }
    }

    /** Runs tasks [begin, end) of a phase as a worker; returns a status code. */
    int run(int phase, int worker, long begin, long end) {
        return library.run(phases[phase], blocks[blocks.length == 1 ? 0 : worker], begin, end);
    }
}
