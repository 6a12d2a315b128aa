package dev.tarn.graph;

import java.util.List;

/** One application of an operation: from inputs to outputs. */
public final class Node {
    private final Op op;
    private final String path;
    private final List<Value> inputs;
    private final List<Value> outputs;

    Node(Op op, String path, List<Value> inputs, List<Value> outputs) {
        this.op = op;
        this.path = path;
        this.inputs = List.copyOf(inputs);
        this.outputs = List.copyOf(outputs);
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
