package dev.tarn.graph;

import dev.tarn.kernel.Team;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/** Runs a bound program: a walk over an array of steps. Nothing is validated, looked up or allocated here. */
public final class Executor {
    private final Team team;
    private final BoundStep[] steps;
    private final int forwardSteps;
    private final Map<Value, List<PlannedStep.InputReader>> readers;
    private long batch = -1;

    Executor(Team team, BoundStep[] steps, int forwardSteps, Map<Value, List<PlannedStep.InputReader>> readers) {
        this.team = team;
        this.steps = steps;
        this.forwardSteps = forwardSteps;
        this.readers = readers;
    }

    /** Points all readers of an input at its memory for the next run. */
    public void bindInput(Value input, MemorySegment memory) {
        bindInput(input, memory, 0);
    }

    /** Points all readers of an input at a part of memory, which starts {@code offset} bytes into it. */
    public void bindInput(Value input, MemorySegment memory, long offset) {
        List<PlannedStep.InputReader> all = readers.get(input);
        if (all != null) {
            for (int i = 0; i < all.size(); i++) {
                all.get(i).bind(memory, offset);
            }
        }
    }

    /** Sets the number of examples of the next runs, at most the planned batch. */
    public void setBatch(long n) {
        if (n == batch) {
            return;
        }
        for (BoundStep step : steps) {
            step.setBatch(n);
        }
        batch = n;
    }

    /** Computes what depends on parameters alone; must run again when they change. */
    public void prepare() {
        for (BoundStep step : steps) {
            step.prepare(team);
        }
    }

    /** Runs the forward pass. */
    public void forward() {
        run(0, forwardSteps);
    }

    /** Runs the backward pass; the forward pass of the same batch must have run. */
    public void backward() {
        run(forwardSteps, steps.length);
    }

    private void run(int begin, int end) {
        for (int i = begin; i < end; i++) {
            steps[i].run(team);
        }
    }
}
