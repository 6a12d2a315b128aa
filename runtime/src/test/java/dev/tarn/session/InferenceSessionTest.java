package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Value;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.util.Arrays;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class InferenceSessionTest {
    private static final Shape INPUT = Shape.of(8, 3, 12, 12);
    private static final int CLASSES = 5;

    private final OwnedMemory batchMemory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(batchMemory, DType.F32, INPUT, CLASSES, 1);
    private final Model model = Model.create(new Net(), 4);

    /** Two residual blocks with batch normalisation, dropout and a head. */
    private static final class Net extends Layer {
        private final Conv2d stem = child("stem", new Conv2d(3, 6, window(3).padding(1), Bias.NONE));
        private final BatchNorm2d norm = child("norm", new BatchNorm2d(6));
        private final Layer block = child("block", new Block(6, 9));
        private final Layer head = child("head", new Sequential(Dropout.keep(0.5), new Linear(9, CLASSES)));

        @Override
        public Value forward(Value x) {
            Value y = norm.forward(stem.forward(x)).relu();
            return head.forward(block.forward(y).globalAvgPool2d());
        }
    }

    private static final class Block extends Layer {
        private final Conv2d conv1;
        private final BatchNorm2d bn1;
        private final Conv2d conv2;
        private final BatchNorm2d bn2;
        private final Layer down;

        Block(long in, long out) {
            conv1 = child(
                    "conv1", new Conv2d(in, out, window(3).stride(2).padding(1).floor()));
            bn1 = child("bn1", new BatchNorm2d(out));
            conv2 = child("conv2", new Conv2d(out, out, window(3).padding(1), Bias.NONE));
            bn2 = child("bn2", new BatchNorm2d(out));
            down = child("down", new Conv2d(in, out, window(1).stride(2).floor()));
        }

        @Override
        public Value forward(Value x) {
            Value y = bn1.forward(conv1.forward(x)).relu();
            return bn2.forward(conv2.forward(y)).add(down.forward(x)).relu();
        }
    }

    @BeforeEach
    void giveStatistics() {
        try (TrainingSession session = model.training(INPUT, new CrossEntropyLoss(), new SGD())) {
            for (int i = 0; i < 3; i++) {
                session.forward(batch);
                session.backward();
                session.update(0.01);
            }
        }
    }

    @AfterEach
    void close() {
        model.close();
        batchMemory.close();
    }

    @Test
    void n4_an_image_has_the_same_bits_alone_and_inside_any_batch() {
        try (InferenceSession eight = model.inference(INPUT);
                InferenceSession one = model.inference(Shape.of(1, 3, 12, 12))) {
            float[] all = eight.run(batch).toArray();
            for (int n = 1; n <= 8; n++) {
                assertArrayEquals(
                        Arrays.copyOf(all, n * CLASSES),
                        eight.run(batch.images().prefix(n)).toArray());
            }
            for (int i = 0; i < 8; i++) {
                float[] image = Arrays.copyOfRange(batch.images().toArray(), i * 432, (i + 1) * 432);
                float[] row = one.run(Tensor.of(Shape.of(1, 3, 12, 12), image)).toArray();
                assertArrayEquals(Arrays.copyOfRange(all, i * CLASSES, (i + 1) * CLASSES), row);
            }
        }
    }

    @Test
    void n4_a_batch_in_parts_has_the_bits_of_its_images_alone() {
        Layer wide = new Sequential(new Conv2d(3, 32, window(3)), new Conv2d(32, 16, window(3)));
        Shape input = Shape.of(7, 3, 160, 160);
        try (Model large = Model.create(wide, 2);
                InferenceSession seven = large.inference(input);
                InferenceSession one = large.inference(Shape.of(1, 3, 160, 160))) {
            assertTrue(seven.part() > 1 && 7 % seven.part() != 0, () -> "parts of " + seven.part());
            Tensor images =
                    Batches.labelled(batchMemory, DType.F32, input, CLASSES, 3).images();
            float[] pixels = images.toArray();
            float[] all = seven.run(images).toArray();
            int image = pixels.length / 7;
            int row = all.length / 7;
            for (int i = 0; i < 7; i++) {
                float[] alone = Arrays.copyOfRange(pixels, i * image, (i + 1) * image);
                assertArrayEquals(
                        Arrays.copyOfRange(all, i * row, (i + 1) * row),
                        one.run(Tensor.of(Shape.of(1, 3, 160, 160), alone)).toArray());
            }
            assertArrayEquals(
                    Arrays.copyOf(all, 5 * row), seven.run(images.prefix(5)).toArray());
        }
    }

    @Test
    void n6_folding_keeps_results_and_saves_memory() {
        try (InferenceSession folded = model.inference(INPUT);
                InferenceSession plain = model.inference(
                        INPUT,
                        SessionOptions.DEFAULT.withoutRewrites(
                                "fold-batchnorm", "fuse-add", "fuse-activation", "fuse-bias"))) {
            float[] want = plain.run(batch).toArray();
            float[] got = folded.run(batch).toArray();
            float largest = 0;
            for (float w : want) {
                largest = Math.max(largest, Math.abs(w));
            }
            assertArrayEquals(want, got, 1e-5f * largest);
            assertTrue(
                    folded.memory().buffers().size() < plain.memory().buffers().size());
        }
    }

    @Test
    void g6_dropout_is_absent_from_inference() {
        Layer with = new Sequential(new Conv2d(3, 4, window(3)), Dropout.keep(0.3));
        Layer without = new Sequential(new Conv2d(3, 4, window(3)));
        try (Model a = Model.create(with, 9);
                Model b = Model.create(without, 9);
                InferenceSession sessionA = a.inference(INPUT);
                InferenceSession sessionB = b.inference(INPUT)) {
            assertArrayEquals(sessionB.run(batch).toArray(), sessionA.run(batch).toArray());
            assertEquals(sessionB.memory().byteSize(), sessionA.memory().byteSize());
        }
    }

    @Test
    void weights_that_changed_are_seen_by_the_next_run() {
        try (InferenceSession session = model.inference(INPUT)) {
            float[] before = session.run(batch).toArray();
            assertArrayEquals(before, session.run(batch).toArray());
            giveStatistics();
            float[] after = session.run(batch).toArray();
            assertTrue(!Arrays.equals(before, after));
            try (InferenceSession fresh = model.inference(INPUT)) {
                assertArrayEquals(after, fresh.run(batch).toArray());
            }
        }
    }

    @Test
    void sessions_in_many_threads_share_one_model() throws Exception {
        float[] want;
        try (InferenceSession session = model.inference(INPUT)) {
            want = session.run(batch).toArray();
        }
        try (var pool = Executors.newFixedThreadPool(4)) {
            var tasks = IntStream.range(0, 4)
                    .mapToObj(t -> (Callable<float[]>) () -> {
                        try (InferenceSession session =
                                model.inference(INPUT, SessionOptions.DEFAULT.withThreads(1 + t % 2))) {
                            float[] last = new float[0];
                            for (int i = 0; i < 50; i++) {
                                last = session.run(batch).toArray();
                            }
                            return last;
                        }
                    })
                    .toList();
            for (var future : pool.invokeAll(tasks)) {
                assertArrayEquals(want, future.get());
            }
        }
    }

    @Test
    void f64_runs_agree_with_f32() {
        try (Model exact = Model.create(new Net(), 4, DType.F64);
                InferenceSession session = model.inference(INPUT);
                InferenceSession exactSession = exact.inference(INPUT)) {
            model.tensors().forEach((path, tensor) -> exact.tensor(path).copyFrom(tensor));
            assertArrayEquals(
                    exactSession.run(batch.images()).toDoubleArray(),
                    session.run(batch).toDoubleArray(),
                    1e-5);
        }
    }

    @Test
    void an_output_that_is_read_after_the_next_run_is_refused_in_checked_mode() {
        assumeTrue(Boolean.getBoolean("tarn.checked"), "needs -Dtarn.checked=true");
        try (InferenceSession session = model.inference(INPUT)) {
            Tensor first = session.run(batch);
            float[] kept = first.toArray();
            assertArrayEquals(kept, session.run(batch).toArray());
            var e = assertThrows(IllegalStateException.class, first::toArray);
            assertTrue(e.getMessage().contains("run 1") && e.getMessage().contains("run 2"), e.getMessage());
        }
    }

    @Test
    void what_is_allocated_is_what_is_planned() {
        long before = MemoryAccount.current();
        try (InferenceSession session = model.inference(INPUT)) {
            session.run(batch);
            assertEquals(before + session.memory().byteSize(), MemoryAccount.current());
        }
        assertEquals(before, MemoryAccount.current());
    }

    @Test
    void wrong_shapes_name_what_was_planned() {
        try (InferenceSession session = model.inference(INPUT)) {
            var e = assertThrows(
                    ShapeException.class, () -> session.run(Tensor.of(Shape.of(1, 1, 12, 12), new float[144])));
            assertTrue(e.getMessage().contains("(1, 1, 12, 12)"), e.getMessage());
        }
        var e = assertThrows(ShapeException.class, () -> model.inference(Shape.of(2, 4, 12, 12)));
        assertEquals("stem", e.path());
        assertTrue(e.getMessage().contains("3 input channels"), e.getMessage());
    }
}
