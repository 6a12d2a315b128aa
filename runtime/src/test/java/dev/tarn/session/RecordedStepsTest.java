package dev.tarn.session;

import static dev.tarn.Allocations.assertAllocatesNothing;
import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What JDK Flight Recorder hears of a session, and what it costs when nobody records. */
class RecordedStepsTest {
    private static final Shape INPUT = Shape.of(8, 3, 12, 12);

    @TempDir
    Path folder;

    private final OwnedMemory memory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(memory, DType.F32, INPUT, 5, 1);

    @AfterEach
    void close() {
        memory.close();
    }

    private static Model model() {
        return Model.create(
                new Sequential(
                        new Conv2d(3, 10, window(3), Bias.NONE),
                        new ReLU(),
                        new Flatten(),
                        new Linear(10 * 10 * 10, 5)),
                4);
    }

    private static void step(TrainingSession session, Batch batch) {
        session.forward(batch);
        session.backward();
        session.update(0.01);
    }

    private List<RecordedEvent> record(Runnable code) throws Exception {
        Path file = folder.resolve("steps.jfr");
        try (var recording = new Recording()) {
            recording.start();
            code.run();
            recording.stop();
            recording.dump(file);
        }
        return RecordingFile.readAllEvents(file).stream()
                .filter(e -> e.getEventType().getName().startsWith("dev.tarn."))
                .toList();
    }

    private static List<RecordedEvent> named(List<RecordedEvent> events, String name) {
        return events.stream()
                .filter(e -> e.getEventType().getName().equals(name))
                .toList();
    }

    @Test
    void each_kernel_and_each_pass_is_an_event_with_its_work() throws Exception {
        try (var model = model();
                var session = model.training(
                        INPUT, new CrossEntropyLoss(), new SGD(), SessionOptions.DEFAULT.withThreads(2))) {
            step(session, batch);
            Batch three = new Batch(batch.images().prefix(3), batch.labels().prefix(3), memory);
            List<RecordedEvent> events = record(() -> step(session, three));
            List<RecordedEvent> passes = named(events, "dev.tarn.Pass");
            assertEquals(
                    List.of("forward", "backward", "update"),
                    passes.stream().map(e -> e.getString("pass")).toList());
            assertEquals(1, passes.getFirst().getLong("step"));
            assertEquals(3, passes.getFirst().getLong("images"));
            assertEquals(2, passes.getFirst().getInt("threads"));
            List<RecordedEvent> kernels = named(events, "dev.tarn.Kernel");
            RecordedEvent conv = kernels.getFirst();
            assertEquals("0", conv.getString("layer"));
            assertTrue(conv.getString("kernel").startsWith("conv2d_forward_f32__"), conv.toString());
            assertEquals("forward", conv.getString("pass"));
            assertEquals(2L * 3 * 10 * 100 * 27, conv.getLong("flops"));
            assertEquals(4L * (3 * 3 * 144 + 270 + 3 * 10 * 100), conv.getLong("bytes"));
            RecordedEvent gradient = kernels.stream()
                    .filter(e -> e.getString("kernel").startsWith("conv2d_backward_weight")
                            && e.getString("layer").equals("0.grad"))
                    .findFirst()
                    .orElseThrow();
            assertEquals("backward", gradient.getString("pass"));
            assertEquals(2L * 3 * 10 * 100 * 27, gradient.getLong("flops"));
            assertEquals(
                    4L * (3 * 3 * 144 + 2 * 270 + 3 * 10 * 100), gradient.getLong("bytes")); // the sum is read, too
            long inKernels =
                    kernels.stream().mapToLong(e -> e.getDuration().toNanos()).sum();
            long inPasses =
                    passes.stream().mapToLong(e -> e.getDuration().toNanos()).sum();
            assertTrue(0 < inKernels && inKernels < inPasses);
        }
    }

    @Test
    void inference_and_writing_are_events_too() throws Exception {
        try (var model = model();
                var session = model.inference(INPUT)) {
            List<RecordedEvent> events = record(() -> {
                session.run(batch);
                try {
                    model.save(folder.resolve("w.safetensors"));
                } catch (java.io.IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            assertEquals("inference", named(events, "dev.tarn.Pass").getFirst().getString("pass"));
            assertTrue(named(events, "dev.tarn.Kernel").stream()
                    .allMatch(e -> e.getString("pass").equals("inference")));
            RecordedEvent write = named(events, "dev.tarn.Write").getFirst();
            assertTrue(write.getString("file").endsWith("w.safetensors"));
            assertEquals(java.nio.file.Files.size(folder.resolve("w.safetensors")), write.getLong("bytes"));
            try (var training = model.training(INPUT, new CrossEntropyLoss(), new SGD())) {
                Map<String, String> none = Map.of();
                List<RecordedEvent> more = record(() -> {
                    try {
                        training.checkpoint(folder.resolve("c.ckpt"), none);
                    } catch (java.io.IOException e) {
                        throw new java.io.UncheckedIOException(e);
                    }
                });
                assertEquals(1, named(more, "dev.tarn.Write").size());
            }
        }
    }

    @Test
    void after_a_recording_steps_allocate_nothing_again() throws Exception {
        try (var model = model();
                var session = model.training(INPUT, new CrossEntropyLoss(), new SGD())) {
            assertTrue(!record(() -> step(session, batch)).isEmpty());
            assertAllocatesNothing(() -> step(session, batch));
        }
    }
}
