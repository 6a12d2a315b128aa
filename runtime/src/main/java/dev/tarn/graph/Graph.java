package dev.tarn.graph;

import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The nodes of one traced network in the order in which they run, for one input shape and one mode. Values are assigned once;
 * only gradients of parameters are added to.
 */
public final class Graph {
    /** Whether the network learns: decides what batch normalisation does. It belongs to the session, not the model. */
    public enum Mode {
        TRAINING,
        INFERENCE
    }

    /** What layers with random masks or choices do: draw them anew in each run, or give what they give on average. */
    public enum Randomness {
        DRAWN,
        EXPECTED
    }

    private final Mode mode;
    private final Randomness randomness;
    private final DType dtype;
    private final long seed;
    private final Function<Parameter, String> paths;
    private final List<Node> nodes = new ArrayList<>();
    private final Map<Parameter, Value> parameters = new LinkedHashMap<>();
    private final Map<Parameter, Value> gradients = new LinkedHashMap<>();
    private final Map<Value, double[]> constants = new LinkedHashMap<>();
    private final Map<String, Integer> pathCounts = new HashMap<>();
    private final List<Value> inputs = new ArrayList<>();
    private final Set<Value> kept = new HashSet<>();
    private final Value step;
    private final Value lossDivisor;
    private int randomStreams;

    /**
     * A graph that draws in training and takes what is expected in inference.
     *
     * @param dtype number type of images, activations and parameters: F32, or F64 for gradient checks
     * @param seed of what layers draw
     * @param paths the path of each parameter in the model
     */
    public Graph(Mode mode, DType dtype, long seed, Function<Parameter, String> paths) {
        this(mode, mode == Mode.TRAINING ? Randomness.DRAWN : Randomness.EXPECTED, dtype, seed, paths);
    }

    /** As above, for inference that draws too. */
    public Graph(Mode mode, Randomness randomness, DType dtype, long seed, Function<Parameter, String> paths) {
        this.mode = mode;
        this.randomness = randomness;
        this.dtype = dtype;
        this.seed = seed;
        this.paths = paths;
        this.step = setting("step", DType.I64);
        this.lossDivisor = setting("loss divisor", DType.F64);
    }

    public Mode mode() {
        return mode;
    }

    public Randomness randomness() {
        return randomness;
    }

    public DType dtype() {
        return dtype;
    }

    public long seed() {
        return seed;
    }

    private Value setting(String name, DType type) {
        return new Value(this, name, new Spec("", Value.Kind.SETTING, type, Shape.of(1), Layout.ROW_MAJOR), null);
    }

    /**
     * The number of the training step, or of the pass where inference draws, I64 (1), set before each run. Where a batch passes in
     * parts, the upper 32 bits are the number of the part.
     */
    public Value step() {
        return step;
    }

    /**
     * What the mean over a batch divides by, F64 (1), set before each run; without memory it is the weight of the examples of the run.
     */
    public Value lossDivisor() {
        return lossDivisor;
    }

    /** A number that keeps the random numbers of each operation apart. */
    public int nextRandomStream() {
        return randomStreams++;
    }

    /** Declares an input that is bound at each run; its first size is the largest batch. */
    public Value input(String name, DType type, Shape shape) {
        Value value = new Value(
                this,
                name,
                new Spec(
                        "", Value.Kind.INPUT, type, shape, shape.rank() == 4 ? Layout.CHANNELS_LAST : Layout.ROW_MAJOR),
                null);
        inputs.add(value);
        return value;
    }

    public List<Value> inputs() {
        return List.copyOf(inputs);
    }

    /** Makes a value readable after the run: nothing overwrites its memory and no pass removes it. */
    public void keep(Value value) {
        kept.add(value);
    }

    /** The values that stay readable after the run. */
    public Set<Value> kept() {
        return Collections.unmodifiableSet(kept);
    }

    /** The value that stands for a parameter; the same one however often it is used. */
    public Value parameter(Parameter parameter) {
        return parameters.computeIfAbsent(
                parameter,
                p -> new Value(
                        this, paths.apply(p), new Spec("", Value.Kind.PARAMETER, dtype, p.shape(), Layout.WEIGHT), p));
    }

    /** The value that gradients of a parameter are added to. */
    Value gradient(Parameter parameter) {
        return gradients.computeIfAbsent(
                parameter,
                p -> new Value(
                        this,
                        paths.apply(p) + ".grad",
                        new Spec("", Value.Kind.GRADIENT, dtype, p.shape(), Layout.WEIGHT),
                        p));
    }

    /** Numbers that are given, F64 (numbers): written once, when memory is bound. */
    public Value constant(String name, double... numbers) {
        Shape shape = Shape.of(numbers.length);
        var spec = new Spec("", Value.Kind.CONSTANT, DType.F64, shape, Layout.ROW_MAJOR);
        Value value = new Value(this, name, spec, null);
        constants.put(value, numbers.clone());
        return value;
    }

    /** The numbers of each given constant. */
    public Map<Value, double[]> constants() {
        return constants;
    }

    /** Applies an operation: infers the outputs' shapes and appends a node. */
    public Node add(Op op, String path, List<Value> nodeInputs) {
        Node node = create(op, path, nodeInputs);
        nodes.add(node);
        return node;
    }

    /** Makes a node without appending it, for passes that put it elsewhere. */
    public Node create(Op op, String path, List<Value> nodeInputs) {
        List<Value> outputs = new ArrayList<>();
        for (Spec spec : op.infer(nodeInputs, path)) {
            outputs.add(new Value(this, path + spec.suffix(), spec, null));
        }
        return adopt(new Node(op, path, nodeInputs, outputs));
    }

    /** Makes a node that gives existing values in another way, for passes that fuse nodes or move values. */
    public Node createFor(Op op, String path, List<Value> nodeInputs, List<Value> outputs) {
        return adopt(new Node(op, path, nodeInputs, outputs));
    }

    private static Node adopt(Node node) {
        node.outputs().forEach(v -> v.setProducer(node));
        return node;
    }

    /** Makes a further output for a node, for passes that ask more of it. */
    public Value createValue(String name, Spec spec) {
        return new Value(this, name + spec.suffix(), spec, null);
    }

    /** The nodes in the order in which they run; passes edit this list. */
    public List<Node> nodes() {
        return nodes;
    }

    /** All nodes that read a value. */
    public List<Node> consumers(Value value) {
        return nodes.stream().filter(n -> n.inputs().contains(value)).toList();
    }

    /** A path for an operation that is no layer: its name, numbered from the second on. */
    public String freshPath(String name) {
        int count = pathCounts.merge(name, 1, Integer::sum);
        return count == 1 ? name : name + "_" + count;
    }

    /** The parameters that were used, in order of first use. */
    public List<Parameter> parameters() {
        return List.copyOf(parameters.keySet());
    }
}
