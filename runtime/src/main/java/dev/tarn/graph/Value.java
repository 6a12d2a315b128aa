package dev.tarn.graph;

import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.AddOp;
import dev.tarn.graph.op.ConcatOp;
import dev.tarn.graph.op.FlattenOp;
import dev.tarn.graph.op.FunctionOp;
import dev.tarn.graph.op.PadChannelsOp;
import dev.tarn.graph.op.Pool2dOp;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A result while tracing: it has a shape and no bytes. {@code Layer.forward} takes and returns values; operations without
 * parameters are methods of it.
 */
public final class Value {
    /** What a value is for, which decides where its memory comes from and how long it lives. */
    public enum Kind {
        /** Images or labels, bound to a batch's memory at each run. */
        INPUT,
        /** Learned or tracked, in the model's memory. */
        PARAMETER,
        /** Gradient of a parameter; operations add to it. */
        GRADIENT,
        /** Given, or computed from parameters alone; valid until they change. */
        CONSTANT,
        /** Computed at each run, dead after its last use. */
        ACTIVATION,
        /** Kept from forward to backward, dead after its last use. */
        WORKSPACE,
        /** A number that is set before each run, such as the step. */
        SETTING
    }

    private final Graph graph;
    private final String name;
    private final Kind kind;
    private final DType dtype;
    private final Shape shape;
    private final Layout layout;
    private final @Nullable Parameter parameter;
    private @Nullable Node producer;

    Value(Graph graph, String name, Spec spec, @Nullable Parameter parameter) {
        this.graph = graph;
        this.name = name;
        this.kind = spec.kind();
        this.dtype = spec.dtype();
        this.shape = spec.shape();
        this.layout = spec.layout();
        this.parameter = parameter;
    }

    /** Another value of the same kind, type and shape, for passes that move or repeat it. */
    public Value like(String newName) {
        return new Value(graph, newName, new Spec("", kind, dtype, shape, layout), null);
    }

    public Graph graph() {
        return graph;
    }

    /** Path of the layer that computes it, or of the parameter. */
    public String name() {
        return name;
    }

    public Kind kind() {
        return kind;
    }

    public DType dtype() {
        return dtype;
    }

    /** Logical shape; the first size of images and rows is the largest batch. */
    public Shape shape() {
        return shape;
    }

    public Layout layout() {
        return layout;
    }

    public long byteSize() {
        return shape.elementCount() * dtype.byteSize();
    }

    /** Whether the first size is the batch: of all but weights and their gradients, apart from losses, which are one number. */
    public boolean isBatched() {
        return layout != Layout.WEIGHT
                && shape.size(0) == graph.inputs().get(0).shape().size(0);
    }

    /** Whether many runs read the same: in inference parameters do not change, nor what is computed from them alone. */
    public boolean isFixed() {
        return graph.mode() == Graph.Mode.INFERENCE && (kind == Kind.PARAMETER || kind == Kind.CONSTANT);
    }

    /** Bytes that it has in a run of so many images. */
    public long byteSizeFor(long images) {
        return isBatched() ? byteSize() / shape.size(0) * images : byteSize();
    }

    /** The parameter that it stands for, if it is one. */
    public @Nullable Parameter parameter() {
        return parameter;
    }

    /** The node that computes it; null for inputs and parameters. */
    public @Nullable Node producer() {
        return producer;
    }

    void setProducer(@Nullable Node node) {
        producer = node;
    }

    /** Applies an operation to this value and others; {@code path} names the layer in reports and errors. */
    public Value apply(Op op, String path, Value... others) {
        List<Value> inputs = new ArrayList<>();
        inputs.add(this);
        inputs.addAll(List.of(others));
        return graph.add(op, path, inputs).output();
    }

    /** Applies a function in plain Java to this value and others. */
    public Value apply(TensorFunction function, String path, Value... others) {
        return apply(new FunctionOp(function), path, others);
    }

    /** max(0, x), elementwise. */
    public Value relu() {
        return activate(Activation.RELU);
    }

    /** min(max(0, x), 6), elementwise. */
    public Value relu6() {
        return activate(Activation.RELU6);
    }

    /** An activation, elementwise. */
    public Value activate(Activation activation) {
        return apply(new ActivationOp(activation), graph.freshPath(activation.label()));
    }

    /** Sum of two values of one shape. */
    public Value add(Value other) {
        return apply(new AddOp(Activation.NONE), graph.freshPath("add"), other);
    }

    /** This value's channels followed by those of the others: (N, C1 + C2 + ..., H, W). */
    public Value concat(Value... others) {
        return apply(new ConcatOp(), graph.freshPath("concat"), others);
    }

    /** Channels of zeros before and after this value's: (N, before + C + after, H, W). */
    public Value padChannels(long before, long after) {
        return apply(new PadChannelsOp(before, after), graph.freshPath("pad_channels"));
    }

    /** (N, C, H, W) to (N, C*H*W), in C, H, W order. */
    public Value flatten() {
        return apply(new FlattenOp(), graph.freshPath("flatten"));
    }

    /** Mean over each channel: (N, C, H, W) to (N, C). */
    public Value globalAvgPool2d() {
        if (shape.rank() != 4) {
            throw new dev.tarn.tensor.ShapeException(
                    name,
                    "(N, C, H, W)",
                    shape.toString(),
                    "global pooling averages over the rows and columns of images");
        }
        Window whole = Window.of(shape.size(2), shape.size(3));
        return apply(Pool2dOp.average(whole, Pool2dOp.Padding.EXCLUDED), graph.freshPath("avgpool"))
                .flatten();
    }

    /** {@code layer1.0.conv1 F32 (64, 16, 32, 32)} */
    @Override
    public String toString() {
        return name + " " + dtype + " " + shape;
    }
}
