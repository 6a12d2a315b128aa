package dev.tarn.graph.program;

import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.TransferOp;
import dev.tarn.kernel.Team;
import dev.tarn.memory.SpillFile;
import java.lang.foreign.MemorySegment;
import java.util.Collection;
import java.util.List;

/** Begins to move a value between memory and the spill file, or waits until it has moved. */
final class TransferStep implements PlannedStep {
    private final Node node;
    private final TransferOp op;
    private final Value value;

    TransferStep(Node node, TransferOp op) {
        this.node = node;
        this.op = op;
        this.value = node.inputs().isEmpty() ? node.output() : node.input(0);
    }

    @Override
    public Node node() {
        return node;
    }

    @Override
    public String name() {
        return node.path() + " " + op.name();
    }

    @Override
    public Collection<Value> operands() {
        return List.of(value);
    }

    @Override
    public BoundStep bind(Binding binding) {
        return new Bound(op.phase(), op.slot(), binding.addresses().apply(value));
    }

    /** The whole value moves, whatever the batch: kernels may leave some of it undefined. */
    private record Bound(TransferOp.Phase phase, SpillFile.Slot slot, MemorySegment memory) implements BoundStep {
        @Override
        public void setBatch(long n) {}

        @Override
        public void run(Team team) {
            switch (phase) {
                case STORE -> slot.store(memory);
                case LOAD -> slot.load(memory);
                case STORED, LOADED -> slot.await();
            }
        }
    }
}
