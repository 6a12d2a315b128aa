package dev.tarn.graph.program;

import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.MemoryPlanner;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** One step of a program on its way to memory. */
interface PlannedStep {
    /** Receives the memory of an input before a run: what is read starts {@code offset} bytes into it. */
    @FunctionalInterface
    interface InputReader {
        void bind(MemorySegment memory, long offset);
    }

    /**
     * What a step is bound to.
     *
     * @param slab the memory of the plan
     * @param roots the value in whose memory a value lies
     * @param addresses the memory of each value; null for inputs, which come with each run
     * @param readers what wants to know the memory of an input
     */
    record Binding(
            MemorySegment slab,
            MemoryPlan plan,
            UnaryOperator<Value> roots,
            Function<Value, MemorySegment> addresses,
            Map<Value, List<InputReader>> readers) {
        Binding(
                MemorySegment slab,
                MemoryPlan plan,
                UnaryOperator<Value> roots,
                Function<Value, MemorySegment> addresses) {
            this(slab, plan, roots, addresses, new HashMap<>());
        }

        /** A buffer that was asked for. */
        MemorySegment buffer(int index) {
            MemoryPlan.Buffer b = plan.buffers().get(index);
            return slab.asSlice(b.offset(), b.byteSize());
        }

        /** Has a reader told the memory of an operand at each run, if that lies in an input. */
        void onInput(Value operand, InputReader reader) {
            Value root = roots.apply(operand);
            if (root.kind() == Value.Kind.INPUT) {
                readers.computeIfAbsent(root, v -> new ArrayList<>()).add(reader);
            }
        }
    }

    Node node();

    /** {@code conv1 conv2d_forward_f32__avx512}: the layer and what computes it. */
    String name();

    /** All values that are read or written. */
    Collection<Value> operands();

    /** Bytes that the step needs beside its operands while it runs: none, unless it says so. */
    default long ownBytes() {
        return 0;
    }

    /**
     * Asks for the memory that the step needs beside its operands: none, unless it says so.
     *
     * @param position of the step in the program
     */
    default void request(MemoryPlanner planner, int position) {}

    BoundStep bind(Binding binding);
}
