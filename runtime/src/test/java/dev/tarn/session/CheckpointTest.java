package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static dev.tarn.session.TrainerTest.CARD;
import static dev.tarn.session.TrainerTest.TEST;
import static dev.tarn.session.TrainerTest.TRAIN;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation;
import dev.tarn.data.DataException;
import dev.tarn.data.Dataset;
import dev.tarn.data.FlakyDataset;
import dev.tarn.io.Json;
import dev.tarn.io.RunFolder;
import dev.tarn.io.SafeTensors;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.Adam;
import dev.tarn.optim.Schedule;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs whose state is written within epochs, and that are interrupted there. An epoch has 130 steps. */
class CheckpointTest {
    private static final long EPOCHS = 2;

    @TempDir
    static Path undisturbed;

    @TempDir
    Path folder;

    /** Everything that a step may depend on beside the weights: masks, statistics, moments, augmentation, the rate. */
    private static Trainer trainer() {
        var net = new Sequential(
                new Conv2d(1, 6, window(5), Bias.NONE),
                new BatchNorm2d(6),
                new MaxPool2d(4),
                new Flatten(),
                Dropout.keep(0.7),
                new Linear(6 * 6 * 6, 10));
        var recipe = new Recipe(
                EPOCHS,
                10,
                new Adam(),
                Schedule.COSINE,
                0.01,
                new CrossEntropyLoss(),
                Augmentation.parse("crop=4,flip"),
                5);
        return new Trainer(net, CARD, recipe, SessionOptions.DEFAULT);
    }

    @BeforeAll
    static void runToTheEnd() throws IOException {
        trainer().run(TRAIN, TEST, RunFolder.create(undisturbed), Trainer.Start.FRESH, TrainingListener.NONE);
    }

    /** Ends a run with an error when so many steps are done. */
    private static TrainingListener breakingAt(long last) {
        return new TrainingListener() {
            @Override
            public void stepDone(long step, double passes, double loss, double learningRate, double gradientNorm) {
                if (step == last) {
                    throw new IllegalStateException("stopped");
                }
            }
        };
    }

    private String stepOnDisk() throws IOException {
        return SafeTensors.open(folder.resolve("last.ckpt")).metadata().get("tarn.step");
    }

    private void resumesToTheSameBits(Trainer trainer, long firstStep) throws IOException {
        List<Long> steps = new ArrayList<>();
        trainer.run(TRAIN, TEST, RunFolder.open(folder), Trainer.Start.RESUME, new TrainingListener() {
            @Override
            public void stepDone(long step, double passes, double loss, double learningRate, double gradientNorm) {
                steps.add(step);
            }
        });
        assertEquals(firstStep, steps.getFirst());
        assertEquals(EPOCHS * 130 - firstStep + 1, steps.size());
        for (String file : List.of("last.ckpt", "best.safetensors")) {
            assertArrayEquals(
                    Files.readAllBytes(undisturbed.resolve(file)), Files.readAllBytes(folder.resolve(file)), file);
        }
        assertEquals(metrics(undisturbed), metrics(folder));
    }

    /** All lines without the fields that tell time. */
    private static List<Map<String, Object>> metrics(Path run) throws IOException {
        List<Map<String, Object>> lines = new ArrayList<>();
        for (String line : Files.readAllLines(run.resolve("metrics.jsonl"))) {
            Map<String, Object> fields = Json.read(line);
            fields.keySet().removeAll(List.of("images_per_second", "seconds", "elapsed_seconds"));
            lines.add(fields);
        }
        return lines;
    }

    private RunFolder create() throws IOException {
        RunFolder run = RunFolder.create(folder);
        run.writeSettings(Map.of());
        return run;
    }

    @ParameterizedTest
    @ValueSource(longs = {8, 77, 131, 259})
    void a_run_goes_on_from_the_last_multiple_of_seven(long stop) throws IOException {
        Trainer trainer = trainer().checkpointedEvery(7);
        assertThrows(
                IllegalStateException.class,
                () -> trainer.run(TRAIN, TEST, create(), Trainer.Start.FRESH, breakingAt(stop)));
        long safe = stop == 131 ? 130 : (stop - 1) / 7 * 7; // an epoch ends at 130
        assertEquals("" + safe, stepOnDisk());
        resumesToTheSameBits(trainer, safe + 1);
    }

    @Test
    void without_being_asked_there_is_none_within_an_epoch() throws IOException {
        assertThrows(
                IllegalStateException.class,
                () -> trainer().run(TRAIN, TEST, create(), Trainer.Start.FRESH, breakingAt(129)));
        assertTrue(Files.notExists(folder.resolve("last.ckpt")));
    }

    @Test
    void time_makes_one_due_and_counts_after_an_interruption() throws IOException {
        Trainer trainer = trainer().checkpointedEvery(Duration.ofNanos(1)); // after each step
        assertThrows(
                IllegalStateException.class,
                () -> trainer.run(TRAIN, TEST, create(), Trainer.Start.FRESH, breakingAt(21)));
        assertEquals("20", stepOnDisk());
        Files.copy(folder.resolve("last.ckpt"), folder.resolve("at20"));
        resumesToTheSameBits(trainer().checkpointedEvery(Duration.ofDays(1)), 21);
        String[] sums = SafeTensors.open(folder.resolve("at20"))
                .metadata()
                .get("tarn.epoch")
                .split(" ");
        assertEquals("200", sums[0]);
        double elapsed = (double)
                Json.read(Files.readAllLines(folder.resolve("metrics.jsonl")).getFirst())
                        .get("elapsed_seconds");
        assertTrue(elapsed > Long.parseLong(sums[3]) / 1e9);
    }

    @Test
    void an_epoch_that_was_not_validated_yet_is_validated_first() throws IOException {
        boolean[] broken = {true};
        Dataset flaky = new FlakyDataset(TEST, 150, broken);
        Trainer trainer = trainer().checkpointedEvery(130);
        assertThrows(
                DataException.class,
                () -> trainer.run(TRAIN, flaky, create(), Trainer.Start.FRESH, TrainingListener.NONE));
        assertEquals("130", stepOnDisk());
        assertTrue(Files.notExists(folder.resolve("metrics.jsonl")));
        broken[0] = false;
        resumesToTheSameBits(trainer, 131);
    }

    @Test
    void a_file_that_cannot_be_written_ends_the_run_and_says_what_is_safe() throws IOException {
        Trainer trainer = trainer().checkpointedEvery(10);
        RunFolder run = create();
        IOException e = assertThrows(
                IOException.class,
                () -> trainer.run(TRAIN, TEST, run, Trainer.Start.FRESH, new TrainingListener() {
                    @Override
                    public void stepDone(long step, double passes, double loss, double rate, double norm) {
                        if (step == 35) { // what was last.ckpt is safe elsewhere, and cannot be replaced
                            moveAside();
                        }
                    }
                }));
        assertTrue(String.valueOf(e.getMessage()).contains("last.ckpt"), e.getMessage());
        assertTrue(String.valueOf(e.getMessage()).contains("safe up to step 30: "), e.getMessage());
        Files.delete(folder.resolve("last.ckpt"));
        Files.move(folder.resolve("aside"), folder.resolve("last.ckpt"));
        resumesToTheSameBits(trainer, 31);
    }

    private void moveAside() {
        try {
            Files.move(folder.resolve("last.ckpt"), folder.resolve("aside"));
            Files.createDirectory(folder.resolve("last.ckpt"));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    @Test
    void intervals_are_positive() {
        assertThrows(IllegalArgumentException.class, () -> trainer().checkpointedEvery(0));
        assertThrows(IllegalArgumentException.class, () -> trainer().checkpointedEvery(Duration.ZERO));
    }
}
