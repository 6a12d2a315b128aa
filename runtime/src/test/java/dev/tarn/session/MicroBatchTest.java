package dev.tarn.session;

import static dev.tarn.Allocations.assertAllocatesNothing;
import static dev.tarn.graph.Window.window;
import static dev.tarn.session.TrainerTest.CARD;
import static dev.tarn.session.TrainerTest.TEST;
import static dev.tarn.session.TrainerTest.TRAIN;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation;
import dev.tarn.data.Batch;
import dev.tarn.io.RunFolder;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.nn.loss.HingeLoss;
import dev.tarn.nn.loss.Loss;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Batches that pass in parts. */
class MicroBatchTest {
    private static final Shape BATCH = Shape.of(8, 3, 6, 6);
    private static final int CLASSES = 5;

    private final OwnedMemory memory = OwnedMemory.open("batch");

    @TempDir
    Path folder;

    @AfterEach
    void close() {
        memory.close();
    }

    private static Layer network() {
        return new Sequential(new Conv2d(3, 4, window(3)), new ReLU(), new Flatten(), new Linear(4 * 4 * 4, CLASSES));
    }

    private static Shape inputOf(long images) {
        return BATCH.withBatch(images);
    }

    /** The loss of a batch in parts of at most {@code most} images, and all its gradients. */
    private static double[][] pass(Loss loss, Batch batch, long most) {
        try (var model = Model.create(network(), 3, DType.F64);
                var session = model.training(inputOf(most), loss, new SGD())) {
            double sum = 0;
            for (Batch part : batch.parts(most)) {
                sum += session.forward(part, batch);
                session.backward();
            }
            return new double[][] {
                {sum},
                session.gradient("0.weight").toDoubleArray(),
                session.gradient("0.bias").toDoubleArray(),
                session.gradient("3.weight").toDoubleArray()
            };
        }
    }

    private static void assertPartsAddUp(Loss loss, Batch batch) {
        double[][] whole = pass(loss, batch, batch.size());
        for (long most : new long[] {1, 3, 4, 7}) {
            double[][] parts = pass(loss, batch, most);
            for (int i = 0; i < whole.length; i++) {
                assertArrayEquals(whole[i], parts[i], 1e-13, loss + " in parts of " + most);
            }
        }
    }

    @Test
    void parts_add_up_to_the_loss_and_the_gradients_of_the_batch() {
        Batch labelled = Batches.labelled(memory, DType.F64, BATCH, CLASSES, 1);
        assertPartsAddUp(new CrossEntropyLoss(0.1), labelled);
        assertPartsAddUp(new CrossEntropyLoss().withClassWeights(1, 0, 3, 0.5, 2), labelled);
        assertPartsAddUp(new HingeLoss(), labelled);
        assertPartsAddUp(new MSELoss(), Batches.regression(memory, DType.F64, BATCH, Shape.of(8, CLASSES), 1));
    }

    @Test
    void parts_are_views_of_all_images_in_order() {
        Batch batch = Batches.labelled(memory, DType.F32, BATCH, CLASSES, 1);
        List<Batch> parts = batch.parts(3);
        assertEquals(List.of(3L, 3L, 2L), parts.stream().map(Batch::size).toList());
        assertEquals(batch.images().get(7, 2, 5, 4), parts.get(2).images().get(1, 2, 5, 4));
        assertEquals(batch.labels().get(4), parts.get(1).labels().get(1));
        assertThrows(IllegalArgumentException.class, () -> batch.parts(0));
        assertThrows(IndexOutOfBoundsException.class, () -> batch.images().slice(6, 3));
    }

    /** Of one image many times, since masks then tell parts apart. */
    @Test
    void random_layers_draw_anew_for_each_part_and_the_same_again_in_another_session() {
        Batch batch = Batches.labelled(memory, DType.F32, BATCH, CLASSES, 1);
        for (int i = 1; i < BATCH.size(0); i++) {
            batch.images().slice(i, 1).copyFrom(batch.images().slice(0, 1).toArray());
        }
        Layer net = new Sequential(new Flatten(), Dropout.keep(0.5), new Linear(3 * 6 * 6, CLASSES));
        float[][] first = outputs(net, batch, 4);
        float[][] again = outputs(net, batch, 4);
        assertArrayEquals(first[0], again[0]);
        assertArrayEquals(first[1], again[1]);
        assertTrue(first[0][0] != first[1][0], "another mask in the second part");
        assertArrayEquals(
                first[2], outputs(net, batch, 8)[1], 1e-6f, "the first part of a step draws as the whole does");
    }

    /** Outputs of both parts of a step, then of the first images in the next step. */
    private static float[][] outputs(Layer net, Batch batch, long most) {
        try (var model = Model.create(net, 3);
                var session = model.training(inputOf(most), new CrossEntropyLoss(), new SGD())) {
            float[][] outputs = new float[3][];
            int count = 0;
            for (Batch part : batch.parts(most)) {
                session.forward(part, batch);
                outputs[count++] = session.output(part.size()).toArray();
                session.backward();
            }
            session.update(0);
            Batch first = batch.parts(4).getFirst();
            session.forward(first);
            outputs[count] = session.output(4).toArray();
            return outputs;
        }
    }

    @Test
    void steps_in_parts_allocate_nothing() {
        Batch batch = Batches.labelled(memory, DType.F32, BATCH, CLASSES, 1);
        List<Batch> parts = batch.parts(3);
        var loss = new CrossEntropyLoss().withClassWeights(1, 2, 3, 4, 5);
        try (var model = Model.create(network(), 3);
                var session = model.training(inputOf(3), loss, new SGD())) {
            assertAllocatesNothing(() -> {
                for (int k = 0; k < parts.size(); k++) {
                    session.forward(parts.get(k), batch);
                    session.backward();
                }
                session.update(0.01);
            });
        }
    }

    private static Trainer trainer(long microBatch, int threads) {
        var recipe = new Recipe(
                        2,
                        10,
                        new SGD().momentum(0.9),
                        Schedule.CONSTANT,
                        0.01,
                        new CrossEntropyLoss(),
                        Augmentation.NONE,
                        5)
                .withMicroBatch(microBatch);
        return new Trainer(TrainerTest.net(), CARD, recipe, SessionOptions.DEFAULT.withThreads(threads));
    }

    private Path run(Trainer trainer, String name) throws IOException {
        RunFolder run = RunFolder.create(folder.resolve(name));
        trainer.run(TRAIN, TEST, run, Trainer.Start.FRESH, TrainingListener.NONE);
        return run.best();
    }

    @Test
    void a_run_in_parts_takes_less_memory_for_the_same_weights_within_rounding_and_repeats_to_the_bit()
            throws IOException {
        Trainer parts = trainer(4, 2);
        Trainer whole = trainer(10, 2);
        assertTrue(parts.plan(TRAIN, TEST).byteSize() < whole.plan(TRAIN, TEST).byteSize());
        Path inParts = run(parts, "parts");
        Path inOne = run(whole, "whole");
        try (var a = Model.load(TrainerTest.net(), inParts);
                var b = Model.load(TrainerTest.net(), inOne)) {
            for (String path : a.tensors().keySet()) {
                assertArrayEquals(b.tensor(path).toArray(), a.tensor(path).toArray(), 1e-4f, path);
            }
        }
        Path again = run(trainer(4, 1), "again");
        assertEquals(-1, Files.mismatch(inParts, again));
        TrainerTest.runInterrupted(parts, folder.resolve("broken"), 1);
        assertEquals(-1, Files.mismatch(inParts, folder.resolve("broken/best.safetensors")));
    }

    @Test
    void a_loss_that_is_not_finite_in_a_later_part_is_traced_to_its_image() {
        Batch batch = Batches.labelled(memory, DType.F32, BATCH, CLASSES, 1);
        batch.images().set(Double.NaN, 6, 0, 1, 1);
        try (var model = Model.create(network(), 3);
                var session = model.training(inputOf(3), new CrossEntropyLoss(), new SGD())) {
            var found = session.findNotFinite(batch, batch.parts(3)).orElseThrow();
            assertEquals("images", found.layer());
            assertEquals(6, found.image());
        }
    }
}
