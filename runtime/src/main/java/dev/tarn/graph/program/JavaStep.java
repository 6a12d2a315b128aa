package dev.tarn.graph.program;

import dev.tarn.graph.JavaOp;
import dev.tarn.graph.Node;
import dev.tarn.graph.Value;
import dev.tarn.kernel.Team;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;

/** A node that Java computes: it gets views of its values' memory, and needs no other, since Java code has its own heap. */
final class JavaStep implements PlannedStep {
    private final Node node;
    private final JavaOp op;

    JavaStep(Node node, JavaOp op) {
        this.node = node;
        this.op = op;
    }

    @Override
    public Node node() {
        return node;
    }

    @Override
    public String name() {
        return node.path() + " " + op.name() + " (Java)";
    }

    @Override
    public Collection<Value> operands() {
        return node.operands();
    }

    @Override
    public BoundStep bind(Binding binding) {
        return new Bound(binding);
    }

    private final class Bound implements BoundStep {
        private final MemorySegment[] inputs;
        private final MemorySegment[] outputs;
        private long batch;
        private Runnable code = this::view;

        Bound(Binding binding) {
            inputs = node.inputs().stream().map(binding.addresses()).toArray(MemorySegment[]::new);
            outputs = node.outputs().stream().map(binding.addresses()).toArray(MemorySegment[]::new);
            for (int i = 0; i < inputs.length; i++) {
                int input = i;
                binding.onInput(node.input(i), (memory, offset) -> {
                    inputs[input] = memory.asSlice(offset);
                    code = this::view;
                });
            }
        }

        @Override
        public void setBatch(long n) {
            batch = n;
            code = this::view;
        }

        @Override
        public void run(Team team) {
            code.run();
        }

        /** Makes views for the present batch and memory, then runs. */
        private void view() {
            code = op.on(views(node.inputs(), inputs), views(node.outputs(), outputs));
            code.run();
        }

        private List<Tensor> views(List<Value> values, MemorySegment[] memory) {
            Tensor[] views = new Tensor[memory.length];
            Arrays.setAll(views, i -> {
                Value value = values.get(i);
                Shape shape = value.isBatched() ? value.shape().withBatch(batch) : value.shape();
                long bytes = shape.elementCount() * value.dtype().byteSize();
                return Tensor.view(memory[i].asSlice(0, bytes), value.dtype(), shape, value.layout());
            });
            return List.of(views);
        }
    }
}
