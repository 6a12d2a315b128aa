package dev.tarn.graph.program;

import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.kernel.BoundKernel;
import dev.tarn.kernel.PlannedKernel;
import dev.tarn.kernel.Team;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlanner;
import dev.tarn.memory.OwnedMemory;
import java.lang.foreign.MemorySegment;
import java.util.Collection;

/** One kernel call, with the places of its memory in the plan. */
final class KernelStep implements PlannedStep {
    private final Node node;
    private final PlannedKernel<Value> kernel;
    private final int threads;
    private int shared = -1;
    private int scratch = -1;
    private int arguments = -1;

    KernelStep(Node node, PlannedKernel<Value> kernel, int threads) {
        this.node = node;
        this.kernel = kernel;
        this.threads = threads;
    }

    @Override
    public Node node() {
        return node;
    }

    @Override
    public String name() {
        return node.path() + " " + kernel.name();
    }

    @Override
    public Collection<Value> operands() {
        return kernel.call().pointers().values();
    }

    @Override
    public long ownBytes() {
        return (keepsPhase0() ? 0 : kernel.sharedBytes()) + threads * scratchPitch();
    }

    @Override
    public void request(MemoryPlanner planner, int position) {
        String name = node.path() + " " + kernel.call().op();
        if (kernel.sharedBytes() > 0) {
            shared = keepsPhase0()
                    ? planner.addPersistent(name, Family.WORKSPACE, kernel.sharedBytes())
                    : planner.add(name, Family.WORKSPACE, kernel.sharedBytes(), position, position);
        }
        if (kernel.scratchBytes() > 0) {
            scratch = planner.add(name, Family.SCRATCH, threads * scratchPitch(), position, position);
        }
        arguments = planner.addPersistent(name, Family.ARGUMENTS, kernel.argumentBytes(threads));
    }

    /** In inference parameters stay the same between runs, so what a kernel prepares from them, not from others, is kept. */
    private boolean keepsPhase0() {
        Value weight = kernel.call().pointers().get("weight");
        return kernel.reusable() && weight != null && weight.isFixed();
    }

    /** Computed from parameters alone, so once for as long as they stay the same. */
    private boolean isConstant() {
        return node.outputs().stream().anyMatch(v -> v.kind() == Value.Kind.CONSTANT);
    }

    private long scratchPitch() {
        return (kernel.scratchBytes() + OwnedMemory.ALIGNMENT - 1) & -OwnedMemory.ALIGNMENT;
    }

    @Override
    public BoundStep bind(Binding binding) {
        MemorySegment[] scratches = new MemorySegment[scratch < 0 ? 0 : threads];
        for (int t = 0; t < scratches.length; t++) {
            scratches[t] = binding.buffer(scratch).asSlice(t * scratchPitch(), kernel.scratchBytes());
        }
        BoundKernel bound = kernel.bind(
                binding.buffer(arguments),
                threads,
                binding.addresses(),
                shared < 0 ? MemorySegment.NULL : binding.buffer(shared),
                scratches);
        kernel.call()
                .pointers()
                .forEach((field, value) ->
                        binding.onInput(value, (memory, offset) -> bound.setOperand(field, memory.address() + offset)));
        return new Bound(
                bound, keepsPhase0() ? 1 : 0, isConstant(), kernel.call().isBatched());
    }

    /**
     * @param firstPhase 1 where phase 0 runs in {@link #prepare} only
     * @param constant whether the whole kernel runs in {@link #prepare} only
     * @param batched whether it follows the batch of the run
     */
    private record Bound(BoundKernel kernel, int firstPhase, boolean constant, boolean batched) implements BoundStep {
        @Override
        public void setBatch(long n) {
            if (batched) {
                kernel.setBatch(n);
            }
        }

        @Override
        public void prepare(Team team) {
            if (constant) {
                team.run(kernel);
            } else if (firstPhase > 0) {
                team.run(kernel, 0);
            }
        }

        @Override
        public void run(Team team) {
            if (!constant) {
                for (int phase = firstPhase; phase < kernel.phases(); phase++) {
                    team.run(kernel, phase);
                }
            }
        }
    }
}
