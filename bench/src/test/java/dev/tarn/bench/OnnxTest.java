package dev.tarn.bench;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.bench.Network.Op;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OnnxTest {
    private static float[] floats(int count, float first) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = first + i;
        }
        return values;
    }

    @Test
    void fields_are_written_as_protocol_buffers_define_them() {
        assertArrayEquals(
                new byte[] {0x08, (byte) 0x96, 0x01}, new Protobuf().add(1, 150).toBytes());
        assertArrayEquals(
                new byte[] {0x12, 7, 't', 'e', 's', 't', 'i', 'n', 'g'},
                new Protobuf().add(2, "testing").toBytes());
        assertArrayEquals(
                new byte[] {0x15, 0, 0, (byte) 0x80, 0x3F},
                new Protobuf().add(2, 1f).toBytes());
        assertArrayEquals(
                new byte[] {0x1A, 3, 0x08, (byte) 0x96, 0x01},
                new Protobuf().add(3, new Protobuf().add(1, 150)).toBytes());
        assertEquals(11, new Protobuf().add(1, -1).toBytes().length);
    }

    @Test
    void networks_are_traced_with_their_biases_and_named_weights() {
        Network network = Network.of(new Workload("lenet5", 2));
        assertEquals(
                List.of(
                        Op.CONV,
                        Op.RELU,
                        Op.MAX_POOL,
                        Op.CONV,
                        Op.RELU,
                        Op.MAX_POOL,
                        Op.FLATTEN,
                        Op.LINEAR,
                        Op.RELU,
                        Op.LINEAR,
                        Op.RELU,
                        Op.LINEAR),
                network.steps().stream().map(Network.Step::op).toList());
        assertEquals(
                List.of("conv1.weight", "conv1.bias"),
                network.steps().getFirst().parameters());
        assertEquals(Network.IMAGES, network.steps().getFirst().input());
        assertEquals(1, network.readers(Network.IMAGES));
    }

    @Test
    void batch_normalisation_folds_by_its_formula() {
        Network network = Network.of(new Workload("vgg11", 1));
        Network.Step conv = network.steps().get(0);
        Network.Step norm = network.steps().get(1);
        Map<String, Weights.Array> arrays = new LinkedHashMap<>();
        network.steps()
                .forEach(step -> step.parameters()
                        .forEach(name -> arrays.put(name, new Weights.Array(new long[] {512}, () -> floats(512, 1)))));
        arrays.put(conv.parameters().getFirst(), new Weights.Array(new long[] {64, 3, 3, 3}, () -> floats(1728, 1)));
        for (String name : List.of(
                conv.parameters().get(1),
                norm.parameters().get(0),
                norm.parameters().get(1))) {
            arrays.put(name, new Weights.Array(new long[] {64}, () -> floats(64, 2)));
        }
        arrays.put(norm.parameters().get(2), new Weights.Array(new long[] {64}, () -> floats(64, -3)));
        arrays.put(norm.parameters().get(3), new Weights.Array(new long[] {64}, () -> floats(64, 4)));
        Network.Folded folded = network.fold(new Weights(arrays));
        Network.Step first = folded.network().steps().getFirst();
        assertEquals(norm.output(), first.output());
        double g = 3 / Math.sqrt(5 + norm.eps()); // channel 1: gamma 3, variance 5, weights from 28, mean -2, others 3
        assertEquals(28 * g, folded.weights().array(first.parameters().get(0)).values()[27], 1e-5);
        assertEquals(
                (3 + 2) * g + 3,
                folded.weights().array(first.parameters().get(1)).values()[1],
                1e-5);
        assertEquals(
                0,
                folded.network().steps().stream()
                        .filter(s -> s.op() == Op.BATCH_NORM)
                        .count());
    }

    @Test
    void a_model_holds_its_nodes_and_weights() {
        Network network = Network.of(new Workload("lenet5", 1));
        Map<String, Weights.Array> arrays = new LinkedHashMap<>();
        network.steps()
                .forEach(step -> step.parameters()
                        .forEach(name -> arrays.put(name, new Weights.Array(new long[] {1}, () -> new float[] {1}))));
        String text = new String(
                Onnx.model(network, new Weights(arrays), new Workload("lenet5", 1)), StandardCharsets.ISO_8859_1);
        for (String word : List.of("Conv", "Gemm", "MaxPool", "Flatten", "kernel_shape", "fc3.bias", "images")) {
            assertEquals(true, text.contains(word), word);
        }
    }
}
