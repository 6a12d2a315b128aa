package dev.tarn.graph;

import dev.tarn.kernel.BoundKernel;
import dev.tarn.kernel.Team;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;

/** Runs a bound program: a walk over an array of kernels. Nothing is validated, looked up or allocated here. */
public final class Executor {
    /** A place where an input's address stands. */
    record Operand(BoundKernel kernel, String field) {}

    /**
     * @param firstPhase 1 where phase 0 runs in {@link #prepare} only
     * @param constant whether the whole kernel runs in {@link #prepare} only
     * @param batched whether it follows the batch of the run
     */
    record Step(BoundKernel kernel, int firstPhase, boolean constant, boolean batched) {}

    private final Team team;
    private final Step[] steps;
    private final int forwardSteps;
    private final Map<Value, List<Operand>> inputs;
    private long batch = -1;

    Executor(Team team, Step[] steps, int forwardSteps, Map<Value, List<Operand>> inputs) {
        this.team = team;
        this.steps = steps;
        this.forwardSteps = forwardSteps;
        this.inputs = inputs;
    }

    /** Points all readers of an input at its memory for the next run. */
    public void bindInput(Value input, MemorySegment memory) {
        bindInput(input, memory, 0);
    }

    /** Points all readers of an input at a part of memory, which starts {@code offset} bytes into it. */
    public void bindInput(Value input, MemorySegment memory, long offset) {
        List<Operand> operands = inputs.get(input);
        if (operands != null) {
            for (int i = 0; i < operands.size(); i++) {
                operands.get(i).kernel().setOperand(operands.get(i).field(), memory.address() + offset);
            }
        }
    }

    /** Sets the number of examples of the next runs, at most the planned batch. */
    public void setBatch(long n) {
        if (n == batch) {
            return;
        }
        for (Step step : steps) {
            if (step.batched) {
                step.kernel.setBatch(n);
            }
        }
        batch = n;
    }

    /** Computes what depends on parameters alone; must run again when they change. */
    public void prepare() {
        for (Step step : steps) {
            if (step.constant) {
                team.run(step.kernel);
            } else if (step.firstPhase > 0) {
                team.run(step.kernel, 0);
            }
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
            Step step = steps[i];
            if (!step.constant) {
                for (int phase = step.firstPhase; phase < step.kernel.phases(); phase++) {
                    team.run(step.kernel, phase);
                }
            }
        }
    }
}
