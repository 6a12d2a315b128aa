package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Graph;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.LayerNorm;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Training and inference differ by session, never by a flag, and how much they differ can be measured. */
class ModeGapTest {
    private static final Shape INPUT = Shape.of(6, 3, 7, 8);
    private static final int CLASSES = 4;

    private final OwnedMemory memory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(memory, DType.F32, INPUT, CLASSES, 1);

    @AfterEach
    void close() {
        memory.close();
    }

    private static Layer network(Layer norm) {
        return new Sequential(
                new Conv2d(3, 5, window(3)), norm, new Flatten(), Dropout.keep(0.7), new Linear(5 * 30, CLASSES));
    }

    private double inferenceLoss(Model model) {
        try (var session = model.inference(INPUT)) {
            Tensor logits = session.run(batch);
            double sum = 0;
            for (int i = 0; i < 6; i++) {
                sum += Metrics.crossEntropy(logits, i, (int) batch.labels().get(i));
            }
            return sum / 6;
        }
    }

    @Test
    void n13_the_gap_is_between_what_both_sessions_compute() {
        try (Model model = Model.create(network(new BatchNorm2d(5)), 4)) {
            double before = inferenceLoss(model);
            ModeGap gap = ModeGap.of(model, new CrossEntropyLoss(), batch);
            assertEquals(before, gap.inference(), 1e-6);
            assertEquals(gap.inference() - gap.training(), gap.gap());
            try (var session = model.training(INPUT, new CrossEntropyLoss(), new SGD())) {
                assertEquals(session.forward(batch), gap.training());
            }
        }
    }

    @Test
    void n13_measuring_leaves_the_model_as_it_was_and_no_memory() {
        try (Model model = Model.create(network(new BatchNorm2d(5)), 4)) {
            Map<String, double[]> before = new TreeMap<>();
            model.tensors().forEach((path, tensor) -> before.put(path, tensor.toDoubleArray()));
            long bytes = MemoryAccount.current();
            ModeGap first = ModeGap.of(model, new CrossEntropyLoss(), batch);
            assertEquals(first, ModeGap.of(model, new CrossEntropyLoss(), batch));
            assertEquals(bytes, MemoryAccount.current());
            model.tensors()
                    .forEach((path, tensor) -> assertArrayEquals(before.get(path), tensor.toDoubleArray(), path));
        }
    }

    @Test
    void n13_there_is_no_gap_without_layers_that_differ() {
        Layer layer = new Sequential(
                new Conv2d(3, 5, window(3)), new LayerNorm(5), new Flatten(), new Linear(5 * 30, CLASSES));
        try (Model model = Model.create(layer, 4)) {
            assertEquals(0, ModeGap.of(model, new CrossEntropyLoss(), batch).gap());
        }
    }

    @Test
    void n13_nothing_can_run_an_inference_session_in_training_mode() {
        for (Class<?> type : new Class<?>[] {InferenceSession.class, Model.class, Layer.class}) {
            for (Method method : type.getMethods()) {
                assertFalse(
                        Arrays.stream(method.getParameterTypes())
                                .anyMatch(p -> p == Graph.Mode.class || p == boolean.class),
                        method::toString);
                assertFalse(method.getName().matches("train|eval|setMode|setTraining"), method::toString);
            }
        }
        for (Method method : InferenceSession.class.getMethods()) {
            assertTrue(
                    !method.getName().matches("backward|update|gradient|forward")
                            && !TrainingSession.class.isAssignableFrom(method.getReturnType()),
                    method::toString);
        }
    }
}
