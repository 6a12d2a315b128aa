package dev.tarn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.session.Model;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

/** Published weights, and the logits that another runtime gives for a photograph. */
class MobileNetV1Test {
    private static final Path FOLDER =
            Path.of(System.getProperty("tarn.data", "../../shared/data"), "models/mobilenet-v1-0.25-224");
    private static final int PELICAN = 144;

    @Test
    void mobilenet_v1_gives_the_logits_of_another_runtime() throws IOException {
        Assumptions.assumeTrue(
                Files.exists(FOLDER), () -> FOLDER + " is missing; -Dtarn.data=DIR names the folder of test data");
        Shape image = Shape.of(1, 3, 224, 224);
        float[] expected = tensorProto("output_0.pb");
        try (var model = Model.load(
                        new MobileNetV1(0.25, 1000, 3), FOLDER.resolve("mobilenet_v1_0.25_224.safetensors"));
                var session = model.inference(image)) {
            float[] logits =
                    session.run(Tensor.of(image, tensorProto("input_0.pb"))).toArray();
            assertEquals(expected.length, logits.length);
            int best = 0;
            for (int i = 0; i < logits.length; i++) {
                assertEquals(expected[i], logits[i], 1e-3f, "class " + i);
                best = logits[i] > logits[best] ? i : best;
            }
            assertEquals(PELICAN, best);
        }
    }

    /** The raw data (field 9) of an ONNX TensorProto of floats; of the other fields it has numbers and a name. */
    private static float[] tensorProto(String file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(
                        Files.readAllBytes(FOLDER.resolve("test_data_set_0").resolve(file)))
                .order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            long tag = varint(bytes);
            long value = varint(bytes); // a number, or the length of what follows
            if (tag == (9 << 3 | 2)) {
                float[] floats = new float[Math.toIntExact(value / Float.BYTES)];
                bytes.asFloatBuffer().get(floats);
                return floats;
            }
            if ((tag & 7) == 2) {
                bytes.position(Math.toIntExact(bytes.position() + value));
            }
        }
        throw new IOException(file + " holds no raw data");
    }

    private static long varint(ByteBuffer bytes) {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = bytes.get();
            value |= (long) (next & 0x7f) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }
}
