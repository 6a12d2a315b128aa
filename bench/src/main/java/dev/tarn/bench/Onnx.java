package dev.tarn.bench;

import dev.tarn.bench.Network.Step;
import dev.tarn.graph.Window;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** A network with its weights as an ONNX model, operator set 17. The numbers are the fields of {@code onnx.proto}. */
public final class Onnx {
    private static final long IR_VERSION = 8;
    private static final long OPERATOR_SET = 17;
    private static final long FLOAT = 1;

    /** The bounds of ReLU6. */
    private static final String ZERO = "zero";

    private static final String SIX = "six";

    private Onnx() {}

    /** The bytes of a model file for one shape of images. */
    public static byte[] model(Network network, Weights weights, Workload workload) {
        Protobuf graph = new Protobuf();
        network.steps().forEach(step -> graph.add(1, node(step)));
        graph.add(2, workload.model());
        weights.arrays().forEach((name, array) -> graph.add(5, tensor(name, array)));
        if (network.steps().stream().anyMatch(step -> step.op() == Network.Op.RELU6)) {
            graph.add(5, tensor(ZERO, new Weights.Array(new long[0], () -> new float[] {0})));
            graph.add(5, tensor(SIX, new Weights.Array(new long[0], () -> new float[] {6})));
        }
        graph.add(11, value(Network.IMAGES, workload.input().toArray()));
        graph.add(12, value(network.steps().getLast().output(), new long[] {workload.batch(), workload.classes()}));
        return new Protobuf()
                .add(1, IR_VERSION)
                .add(2, "tarn")
                .add(7, graph)
                .add(8, new Protobuf().add(1, "").add(2, OPERATOR_SET))
                .toBytes();
    }

    private static Protobuf node(Step step) {
        Protobuf node = new Protobuf();
        step.inputs().forEach(name -> node.add(1, name));
        step.parameters().forEach(name -> node.add(1, name));
        if (step.op() == Network.Op.RELU6) {
            node.add(1, ZERO).add(1, SIX);
        }
        node.add(2, step.output()).add(4, operator(step));
        attributes(step).forEach(attribute -> node.add(5, attribute));
        return node;
    }

    private static String operator(Step step) {
        return switch (step.op()) {
            case CONV -> "Conv";
            case LINEAR -> "Gemm";
            case BATCH_NORM -> "BatchNormalization";
            case RELU -> "Relu";
            case RELU6 -> "Clip";
            case ADD -> "Add";
            case CONCAT -> "Concat";
            case MAX_POOL -> "MaxPool";
            case AVERAGE_POOL -> "AveragePool";
            case GLOBAL_AVERAGE_POOL -> "GlobalAveragePool";
            case FLATTEN -> "Flatten";
        };
    }

    private static List<Protobuf> attributes(Step step) {
        List<Protobuf> attributes = new ArrayList<>();
        Window window = step.window();
        switch (step.op()) {
            case CONV -> {
                attributes.addAll(windowed(Objects.requireNonNull(window)));
                attributes.add(attribute("group", 2).add(3, step.groups()));
            }
            case CONCAT -> attributes.add(attribute("axis", 2).add(3, 1));
            case AVERAGE_POOL -> {
                attributes.addAll(windowed(Objects.requireNonNull(window)));
                attributes.add(attribute("count_include_pad", 2).add(3, 1));
            }
            case MAX_POOL -> attributes.addAll(windowed(Objects.requireNonNull(window)));
            case LINEAR -> attributes.add(attribute("transB", 2).add(3, 1));
            case BATCH_NORM -> attributes.add(attribute("epsilon", 1).add(2, (float) step.eps()));
            default -> {}
        }
        return attributes;
    }

    private static List<Protobuf> windowed(Window window) {
        Window.Axis rows = window.rows();
        Window.Axis columns = window.columns();
        return List.of(
                integers("kernel_shape", rows.kernel(), columns.kernel()),
                integers("strides", rows.stride(), columns.stride()),
                integers("pads", rows.before(), columns.before(), rows.after(), columns.after()));
    }

    private static Protobuf integers(String name, long... values) {
        Protobuf attribute = attribute(name, 7);
        for (long value : values) {
            attribute.add(8, value);
        }
        return attribute;
    }

    /** @param type 1 float, 2 integer, 7 integers */
    private static Protobuf attribute(String name, long type) {
        return new Protobuf().add(1, name).add(20, type);
    }

    private static Protobuf tensor(String name, Weights.Array array) {
        Protobuf tensor = new Protobuf();
        for (long size : array.shape()) {
            tensor.add(1, size);
        }
        float[] values = array.values();
        ByteBuffer raw = ByteBuffer.allocate(values.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        raw.asFloatBuffer().put(values);
        return tensor.add(2, FLOAT).add(8, name).add(9, raw.array());
    }

    private static Protobuf value(String name, long[] shape) {
        Protobuf sizes = new Protobuf();
        for (long size : shape) {
            sizes.add(1, new Protobuf().add(1, size));
        }
        Protobuf type = new Protobuf().add(1, new Protobuf().add(1, FLOAT).add(2, sizes));
        return new Protobuf().add(1, name).add(2, type);
    }
}
