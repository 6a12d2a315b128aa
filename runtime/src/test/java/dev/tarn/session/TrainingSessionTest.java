package dev.tarn.session;

import static dev.tarn.Allocations.assertAllocatesNothing;
import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainingSessionTest {
    private static final Shape INPUT = Shape.of(8, 3, 12, 12);
    private static final int CLASSES = 5;
    private static final double RATE = 0.05;

    private final OwnedMemory batchMemory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(batchMemory, DType.F32, INPUT, CLASSES, 1);

    @AfterEach
    void close() {
        batchMemory.close();
    }

    private static Layer network() {
        return new Sequential(
                new Conv2d(3, 10, window(3).padding(1), Bias.NONE),
                new BatchNorm2d(10),
                new ReLU(),
                new MaxPool2d(2),
                new Conv2d(10, 7, window(3)),
                new ReLU(),
                new Flatten(),
                Dropout.keep(0.8),
                new Linear(7 * 4 * 4, CLASSES));
    }

    private static SGD sgd() {
        return new SGD().momentum(0.9).weightDecay(1e-3).nesterov();
    }

    private static TrainingSession train(Model model, SessionOptions options) {
        return model.training(INPUT, new CrossEntropyLoss(), sgd(), options);
    }

    private static double step(TrainingSession session, Batch batch) {
        double loss = session.forward(batch);
        session.backward();
        session.update(RATE);
        return loss;
    }

    private static Map<String, double[]> weights(Model model) {
        Map<String, double[]> weights = new LinkedHashMap<>();
        model.tensors().forEach((path, tensor) -> weights.put(path, tensor.toDoubleArray()));
        return weights;
    }

    private static void assertSameBits(Map<String, double[]> a, Map<String, double[]> b) {
        assertEquals(a.keySet(), b.keySet());
        a.forEach((path, values) -> assertArrayEquals(values, b.get(path), path));
    }

    private Map<String, double[]> weightsAfter(int steps, SessionOptions options) {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, options)) {
            for (int i = 0; i < steps; i++) {
                step(session, batch);
            }
            return weights(model);
        }
    }

    @Test
    void the_loss_falls() {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            double first = step(session, batch);
            double last = first;
            for (int i = 0; i < 60; i++) {
                last = step(session, batch);
            }
            assertTrue(last < first / 3, first + " to " + last);
            assertEquals(61, session.step());
        }
    }

    @Test
    void the_same_seed_gives_the_same_bits_at_any_number_of_threads() {
        Map<String, double[]> one = weightsAfter(5, SessionOptions.DEFAULT.withThreads(1));
        assertSameBits(one, weightsAfter(5, SessionOptions.DEFAULT.withThreads(1)));
        assertSameBits(one, weightsAfter(5, SessionOptions.DEFAULT.withThreads(2)));
        assertSameBits(one, weightsAfter(5, SessionOptions.DEFAULT.withThreads(3)));
        assertSameBits(one, weightsAfter(5, SessionOptions.DEFAULT.withThreads(4)));
    }

    @Test
    void rewrites_change_no_weight_beyond_rounding() {
        Map<String, double[]> fused = weightsAfter(1, SessionOptions.DEFAULT);
        Map<String, double[]> plain = weightsAfter(
                1,
                SessionOptions.DEFAULT.withoutRewrites(
                        "fuse-bias", "fuse-add", "fuse-activation", "fuse-activation-backward"));
        fused.forEach((path, values) -> assertArrayEquals(values, plain.get(path), 1e-6, path));
    }

    @Test
    void one_step_in_f32_is_one_in_f64_within_rounding() {
        try (Model exact = Model.create(network(), 4, DType.F64);
                Model model = Model.create(network(), 4);
                var exactMemory = OwnedMemory.open("exact batch");
                TrainingSession exactSession = train(exact, SessionOptions.DEFAULT);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            Batch exactBatch = Batches.labelled(exactMemory, DType.F64, INPUT, CLASSES, 1);
            assertEquals(exactSession.forward(exactBatch), session.forward(batch), 1e-5);
            exactSession.backward();
            session.backward();
            for (String path : model.tensors().keySet()) {
                if (!path.contains("running_")) {
                    double[] want = exactSession.gradient(path).toDoubleArray();
                    double[] got = session.gradient(path).toDoubleArray();
                    assertTrue(distance(want, got) < 1e-5 * length(want) + 1e-7, path);
                }
            }
        }
    }

    private static double distance(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }

    private static double length(double[] a) {
        return distance(a, new double[a.length]);
    }

    @Test
    void gradients_of_two_passes_add_up() {
        Layer plain = new Sequential(new Flatten(), new Linear(3 * 12 * 12, CLASSES));
        try (Model model = Model.create(plain, 4, DType.F64);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            Batch exact = Batches.labelled(batchMemory, DType.F64, INPUT, CLASSES, 1);
            session.forward(exact);
            session.backward();
            double[] once = session.gradient("1.weight").toDoubleArray();
            session.forward(exact);
            session.backward();
            double[] twice = session.gradient("1.weight").toDoubleArray();
            for (int i = 0; i < once.length; i++) {
                assertEquals(2 * once[i], twice[i], 1e-14);
            }
        }
    }

    @Test
    void steps_allocate_nothing_anywhere() {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            assertAllocatesNothing(() -> step(session, batch));
        }
    }

    @Test
    void what_is_allocated_is_what_is_planned() {
        long before = MemoryAccount.current();
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            step(session, batch);
            assertEquals(before + model.memory().byteSize() + session.memory().byteSize(), MemoryAccount.current());
        }
        assertEquals(before, MemoryAccount.current());
    }

    @Test
    void a_smaller_batch_uses_a_prefix_of_the_plan() {
        try (Model small = Model.create(network(), 4);
                Model large = Model.create(network(), 4);
                TrainingSession planned = small.training(Shape.of(3, 3, 12, 12), new CrossEntropyLoss(), sgd());
                TrainingSession prefix = train(large, SessionOptions.DEFAULT)) {
            Batch three = new Batch(batch.images().prefix(3), batch.labels().prefix(3), batchMemory);
            assertEquals(step(planned, three), step(prefix, three));
            assertSameBits(weights(small), weights(large));
            step(prefix, batch);
        }
    }

    @Test
    void a_resumed_run_continues_to_the_bit(@TempDir Path folder) throws Exception {
        Map<String, double[]> undisturbed = weightsAfter(7, SessionOptions.DEFAULT);
        Path file = folder.resolve("last.ckpt");
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            for (int i = 0; i < 3; i++) {
                step(session, batch);
            }
            session.checkpoint(file, Map.of("epoch", "3"));
        }
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            assertEquals("3", session.resume(file).get("epoch"));
            assertEquals(3, session.step());
            for (int i = 0; i < 4; i++) {
                step(session, batch);
            }
            assertSameBits(undisturbed, weights(model));
        }
    }

    @Test
    void the_order_of_a_step_is_enforced() {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            assertThrows(IllegalStateException.class, session::backward);
            assertThrows(IllegalStateException.class, () -> session.update(RATE));
            session.forward(batch);
            assertThrows(IllegalStateException.class, () -> session.update(RATE));
            session.backward();
            assertThrows(IllegalStateException.class, session::backward);
            session.update(RATE);
        }
    }

    @Test
    void batches_of_another_shape_or_type_are_refused() {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            var larger = Batches.labelled(batchMemory, DType.F32, Shape.of(9, 3, 12, 12), CLASSES, 1);
            var e = assertThrows(ShapeException.class, () -> session.forward(larger));
            assertTrue(
                    e.getMessage().contains("(8, 3, 12, 12)") && e.getMessage().contains("(9, 3, 12, 12)"));
            var wider = Batches.labelled(batchMemory, DType.F32, Shape.of(8, 3, 12, 13), CLASSES, 1);
            assertThrows(ShapeException.class, () -> session.forward(wider));
            var doubles = Batches.labelled(batchMemory, DType.F64, INPUT, CLASSES, 1);
            assertThrows(ShapeException.class, () -> session.forward(doubles));
        }
    }

    @Test
    void a_label_outside_the_classes_is_an_error_and_the_session_lives_on() {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            Batch wrong = Batches.labelled(batchMemory, DType.F32, INPUT, CLASSES, 1);
            wrong.labels().set(CLASSES, 2);
            var e = assertThrows(RuntimeException.class, () -> session.forward(wrong));
            assertTrue(e.getMessage().contains("label"), e.getMessage());
            step(session, batch);
        }
    }

    @Test
    void use_after_close_is_an_exception() {
        Model model = Model.create(network(), 4);
        TrainingSession session = train(model, SessionOptions.DEFAULT);
        var e = assertThrows(IllegalStateException.class, model::close);
        assertTrue(e.getMessage().contains("training session 1 (8, 3, 12, 12)"), e.getMessage());
        var gradient = session.gradient("8.weight");
        session.close();
        session.close();
        assertThrows(IllegalStateException.class, () -> session.forward(batch));
        assertThrows(IllegalStateException.class, () -> gradient.get(0, 0));
        model.close();
        assertThrows(IllegalStateException.class, () -> train(model, SessionOptions.DEFAULT));
    }

    @Test
    void a_batch_whose_memory_is_closed_is_refused() {
        var gone = OwnedMemory.open("gone");
        Batch closed = Batches.labelled(gone, DType.F32, INPUT, CLASSES, 1);
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            session.forward(closed);
            gone.close();
            assertThrows(IllegalStateException.class, session::backward);
            assertThrows(IllegalStateException.class, () -> session.forward(closed));
            step(session, batch);
        }
    }

    @Test
    void the_plan_prints_every_family() {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, SessionOptions.DEFAULT)) {
            String table = session.memory().toString();
            for (String family : new String[] {"gradients", "optimizer", "activations", "workspace", "arguments"}) {
                assertTrue(table.contains(family), table);
            }
            assertFalse(session.memory().buffers().isEmpty());
        }
    }
}
