package dev.tarn.session;

import static dev.tarn.Messages.assertSays;
import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Value;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class Bf16SessionTest {
    private static final Shape INPUT = Shape.of(8, 3, 12, 12);
    private static final int OUTPUTS = 5;
    private static final SessionOptions BF16 = SessionOptions.DEFAULT.withPrecision(DType.BF16);
    private static final double UNIT = 0x1p-8; // largest relative error of a rounding to BF16

    private final OwnedMemory batchMemory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(batchMemory, DType.F32, INPUT, OUTPUTS, 1);
    private final Model model = Model.create(new Net(), 4);

    /** All that has a kernel in BF16: convolution, pooling, both kinds of shortcut, concat, flatten, linear. */
    private static final class Net extends Layer {
        private final Conv2d stem = child("stem", new Conv2d(3, 6, window(3).padding(1), Bias.NONE));
        private final BatchNorm2d norm = child("norm", new BatchNorm2d(6));
        private final Layer pool = child("pool", new MaxPool2d(2));
        private final Conv2d conv = child("conv", new Conv2d(6, 9, window(3).padding(1)));
        private final Linear head = child("head", new Linear((9 + 6) * 36 + 15, OUTPUTS));

        @Override
        public Value forward(Value x) {
            Value y = pool.forward(norm.forward(stem.forward(x)).relu());
            Value z = conv.forward(y).add(y.padChannels(1, 2)).relu6().concat(y);
            return head.forward(z.flatten().concat(z.globalAvgPool2d()));
        }
    }

    @AfterEach
    void close() {
        model.close();
        batchMemory.close();
    }

    @Test
    void n4_an_image_has_the_same_bits_alone_in_any_batch_and_at_any_number_of_threads() {
        try (InferenceSession eight = model.inference(INPUT, BF16);
                InferenceSession one = model.inference(Shape.of(1, 3, 12, 12), BF16.withThreads(1))) {
            float[] all = eight.run(batch).toArray();
            for (int n = 1; n <= 8; n++) {
                assertArrayEquals(
                        Arrays.copyOf(all, n * OUTPUTS),
                        eight.run(batch.images().prefix(n)).toArray());
            }
            assertArrayEquals(
                    Arrays.copyOf(all, OUTPUTS),
                    one.run(batch.images().prefix(1)).toArray());
        }
    }

    /** y = W x + b: x and w are rounded, then the sum of their exact products, then b is added, and y is rounded. */
    @Test
    void a_linear_layer_errs_by_the_roundings_of_its_operands_and_its_result() {
        int inputs = 200;
        try (var memory = OwnedMemory.open("rows");
                Model linear = Model.create(new Linear(inputs, OUTPUTS), 7);
                InferenceSession exact = linear.inference(Shape.of(8, inputs));
                InferenceSession rounded = linear.inference(Shape.of(8, inputs), BF16)) {
            Batch rows = Batches.labelled(memory, DType.F32, Shape.of(8, inputs), OUTPUTS, 3);
            double[] want = exact.run(rows).toDoubleArray();
            double[] got = rounded.run(rows).toDoubleArray();
            double gamma = (inputs + 2) * 0x1p-24 / (1 - (inputs + 2) * 0x1p-24);
            double largest = 0;
            for (int n = 0; n < 8; n++) {
                for (int o = 0; o < OUTPUTS; o++) {
                    double terms = Math.abs(linear.tensor("bias").get(o));
                    for (int i = 0; i < inputs; i++) {
                        terms += Math.abs(linear.tensor("weight").get(o, i)
                                * rows.images().get(n, i));
                    }
                    double error = (2 * UNIT + UNIT * UNIT + 2 * gamma) * terms;
                    int at = n * OUTPUTS + o;
                    assertEquals(want[at], got[at], error + UNIT * (Math.abs(want[at]) + error));
                    assertEquals(
                            (float) got[at], Float.intBitsToFloat(Float.floatToIntBits((float) got[at]) >> 16 << 16));
                    largest = Math.max(largest, Math.abs(want[at] - got[at]));
                }
            }
            assertTrue(largest > 0, "rounding is seen");
        }
    }

    @Test
    void activations_take_half_the_bytes() {
        try (InferenceSession wide = model.inference(INPUT);
                InferenceSession narrow = model.inference(INPUT, BF16)) {
            assertEquals(bytesOf("pool", wide), 2 * bytesOf("pool", narrow));
            assertArrayEquals(
                    wide.run(batch).toArray(),
                    narrow.run(batch).toArray(),
                    0.1f); // the same network, not just any numbers
        }
    }

    private static long bytesOf(String layer, InferenceSession session) {
        return session.memory().buffers().stream()
                .filter(b -> b.name().equals(layer) && b.family() == Family.ACTIVATIONS)
                .mapToLong(MemoryPlan.Buffer::byteSize)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void what_has_no_kernel_is_named() {
        assertSays(
                IllegalArgumentException.class,
                assertThrows(
                        IllegalArgumentException.class,
                        () -> model.inference(INPUT, BF16.withoutRewrites("fold-batchnorm"))),
                "norm",
                "no kernel computes batchnorm_inference in BF16");
        assertSays(
                IllegalArgumentException.class,
                assertThrows(
                        IllegalArgumentException.class, () -> model.training(INPUT, new MSELoss(), new SGD(), BF16)),
                "BF16 is for inference");
        try (Model exact = Model.create(new Net(), 4, DType.F64)) {
            assertSays(
                    IllegalArgumentException.class,
                    assertThrows(IllegalArgumentException.class, () -> exact.inference(INPUT, BF16)),
                    "images: F64 is not converted to BF16");
        }
        assertThrows(IllegalArgumentException.class, () -> BF16.withPrecision(DType.I32));
    }
}
