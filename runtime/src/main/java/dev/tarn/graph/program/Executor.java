package dev.tarn.graph.program;

import dev.tarn.graph.Value;
import dev.tarn.kernel.Team;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jdk.jfr.FlightRecorder;

/** Runs a bound program: a walk over an array of steps. Nothing is validated, looked up or allocated here. */
public final class Executor {
    private final Team team;
    private final BoundStep[] steps;
    private final int forwardSteps;
    private final PlannedStep.Binding binding;
    private final Map<Value, List<PlannedStep.InputReader>> readers;
    private final List<PlannedStep> planned;
    private long batch = -1;

    /** @param planned what the steps are, for those who watch */
    Executor(Team team, BoundStep[] steps, int forwardSteps, PlannedStep.Binding binding, List<PlannedStep> planned) {
        this.team = team;
        this.steps = steps;
        this.forwardSteps = forwardSteps;
        this.binding = binding;
        this.readers = binding.readers();
        this.planned = planned;
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

    /**
     * Runs both passes of the batch that is bound and looks at every number: the first that is not finite, in the order in which they
     * are computed.
     *
     * @param inputs the memory that inputs are bound to
     */
    public Optional<NotFinite> findNotFinite(Map<Value, MemorySegment> inputs) {
        var check = new FiniteCheck(
                planned,
                value -> inputs.containsKey(value)
                        ? inputs.get(value)
                        : binding.addresses().apply(value),
                batch);
        run(0, steps.length, check);
        return check.found();
    }

    private void run(int begin, int end) {
        // Asked first, for the recorder is loaded with its events, which takes 80 ms.
        if (FlightRecorder.isInitialized() && KernelEvent.isRecorded()) {
            run(begin, end, new KernelRecorder(planned, forwardSteps, batch));
            return;
        }
        for (int i = begin; i < end; i++) {
            steps[i].run(team);
        }
    }

    private void run(int begin, int end, StepObserver observer) {
        for (int i = begin; i < end; i++) {
            observer.before(i);
            steps[i].run(team);
            observer.after(i);
        }
    }
}
