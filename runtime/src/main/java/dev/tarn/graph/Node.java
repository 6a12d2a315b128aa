package dev.tarn.graph;

import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** One application of an operation: from inputs to outputs. */
public final class Node {
    private final Op op;
    private final String path;
    private final List<Value> inputs;
    private final List<Value> outputs;
    private final @Nullable Node origin;

    Node(Op op, String path, List<Value> inputs, List<Value> outputs) {
        this(op, path, inputs, outputs, null);
    }

    private Node(Op op, String path, List<Value> inputs, List<Value> outputs, @Nullable Node origin) {
        this.op = op;
        this.path = path;
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
        this.origin = origin;
    }

    /** The same computation from other values, for passes that move or repeat it. */
    public Node like(Op sameOp, List<Value> newInputs, List<Value> newOutputs) {
        return new Node(sameOp, path, newInputs, newOutputs, origin());
    }

    /** The node whose computation this one is, from other values; itself unless a pass has moved or repeated it. */
    public Node origin() {
        return origin == null ? this : origin;
    }

    /** Whether it computes once more what another node has computed. */
    public boolean isRepeat() {
        return origin != null && !origin.outputs.equals(outputs);
    }

    public Op op() {
        return op;
    }

    /** The layer that it comes from, such as {@code layer1.0.conv1}. */
    public String path() {
        return path;
    }

    public List<Value> inputs() {
        return inputs;
    }

    public Value input(int i) {
        return inputs.get(i);
    }

    public List<Value> outputs() {
        return outputs;
    }

    /** All values that are read or written. */
    public List<Value> operands() {
        return Stream.concat(inputs.stream(), outputs.stream()).toList();
    }

    public Graph graph() {
        return (inputs.isEmpty() ? outputs : inputs).get(0).graph();
    }

    /** The main output. */
    public Value output() {
        return outputs.get(0);
    }

    public Value output(int i) {
        return outputs.get(i);
    }

    /** {@code conv1: conv2d} */
    @Override
    public String toString() {
        return path + ": " + op.name();
    }
}
