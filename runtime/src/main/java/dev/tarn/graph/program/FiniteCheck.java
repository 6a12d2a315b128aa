package dev.tarn.graph.program;

import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.TransferOp;
import dev.tarn.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Looks at every number that the steps of a run read or make, for the first that is not finite. */
final class FiniteCheck implements StepObserver {
    private final List<PlannedStep> steps;
    private final Function<Value, MemorySegment> memory;
    private final long images;
    private @Nullable NotFinite found;

    /** @param memory of a value; null where it is not known */
    FiniteCheck(List<PlannedStep> steps, Function<Value, MemorySegment> memory, long images) {
        this.steps = steps;
        this.memory = memory;
        this.images = images;
    }

    Optional<NotFinite> found() {
        return Optional.ofNullable(found);
    }

    @Override
    public void before(int step) {
        for (Value operand : steps.get(step).operands()) {
            switch (operand.kind()) {
                case PARAMETER -> look(operand, "the parameter", operand.name());
                case INPUT -> look(operand, "the batch's", operand.name());
                default -> {}
            }
        }
    }

    @Override
    public void after(int step) {
        Node node = steps.get(step).node();
        boolean isLast = step + 1 == steps.size() || steps.get(step + 1).node() != node;
        if (!isLast || node.op() instanceof TransferOp) {
            return; // the outputs are not complete yet
        }
        for (Value operand : steps.get(step).operands()) {
            if (operand.kind() == Value.Kind.GRADIENT) {
                look(operand, "the gradient of", operand.name().replaceFirst("\\.grad$", ""));
            } else if (node.outputs().contains(operand)) {
                look(operand, "the output of", node.path());
            }
        }
    }

    private void look(Value value, String what, String layer) {
        MemorySegment segment = memory.apply(value);
        boolean readable = value.dtype() == DType.F32 || value.dtype() == DType.F64;
        if (found != null || !readable || segment.equals(MemorySegment.NULL)) {
            return;
        }
        long elements = value.byteSizeFor(images) / value.dtype().byteSize();
        for (long i = 0; i < elements; i++) {
            double number = value.dtype() == DType.F64
                    ? segment.getAtIndex(ValueLayout.JAVA_DOUBLE, i)
                    : segment.getAtIndex(ValueLayout.JAVA_FLOAT, i);
            if (!Double.isFinite(number)) {
                found = new NotFinite(layer, what, number, value.isBatched() ? i / (elements / images) : -1);
                return;
            }
        }
    }
}
