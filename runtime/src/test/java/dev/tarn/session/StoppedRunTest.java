package dev.tarn.session;

import static dev.tarn.session.TrainerTest.CARD;
import static dev.tarn.session.TrainerTest.TEST;
import static dev.tarn.session.TrainerTest.TRAIN;
import static dev.tarn.session.TrainerTest.net;
import static dev.tarn.session.TrainerTest.trainer;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Dataset;
import dev.tarn.data.Digits;
import dev.tarn.data.Split;
import dev.tarn.io.Json;
import dev.tarn.io.RunFolder;
import dev.tarn.io.SafeTensors;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.LearningRate;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where a run ends and what it tells on its way there. */
class StoppedRunTest {
    @TempDir
    Path folder;

    private void run(Trainer trainer, String name, TrainingListener listener) throws IOException {
        trainer.run(TRAIN, TEST, RunFolder.create(folder.resolve(name)), Trainer.Start.FRESH, listener);
    }

    private List<Map<String, Object>> metrics(String name) throws IOException {
        return Files.readAllLines(folder.resolve(name).resolve("metrics.jsonl")).stream()
                .map(Json::read)
                .toList();
    }

    @Test
    void t3_a_predicate_that_fires_at_step_17_leaves_exactly_17_updates() throws IOException {
        var trainer = trainer(2, 0.02, SessionOptions.DEFAULT)
                .stoppedBy((step, passes, seconds, validations) -> step == 17 && seconds > 0 && validations.isEmpty());
        run(trainer, "run", TrainingListener.NONE);
        assertEquals(17L, metrics("run").getLast().get("step"));
        assertEquals(17 * 10 / 1300.0, metrics("run").getLast().get("passes"));
        var last = SafeTensors.open(folder.resolve("run/last.ckpt"));
        assertEquals("17", last.metadata().get("tarn.step"));
        try (var model = Model.create(net(), 5);
                var session =
                        model.training(Shape.of(10, 1, 28, 28), new CrossEntropyLoss(0.1), new SGD().momentum(0.9));
                var loader = DataLoader.of(TRAIN, 10)
                        .preprocessed(CARD.preprocessing())
                        .shuffled(5)) {
            var rate = LearningRate.cosine(0.02, 2 * loader.batches());
            var batches = loader.epoch(0).iterator();
            while (session.step() < 17) {
                session.forward(batches.next());
                session.backward();
                session.update(rate.at(session.step()));
            }
            model.tensors()
                    .forEach((path, tensor) ->
                            assertArrayEquals(last.tensor(path).toDoubleArray(), tensor.toDoubleArray(), path));
        }
    }

    @Test
    void t3_a_run_that_stopped_stays_stopped_and_one_with_another_criterion_goes_on_from_that_very_step()
            throws IOException {
        var trainer = trainer(2, 0.02, SessionOptions.DEFAULT);
        run(trainer, "whole", TrainingListener.NONE);
        RunFolder same = RunFolder.create(folder.resolve("run"));
        trainer.stoppedBy(Stopping.afterSteps(140)).run(TRAIN, TEST, same, Trainer.Start.FRESH, TrainingListener.NONE);
        byte[] weights = Files.readAllBytes(same.last());
        trainer.run(TRAIN, TEST, same, Trainer.Start.RESUME, TrainingListener.NONE);
        assertArrayEquals(weights, Files.readAllBytes(same.last()));
        trainer.stoppedBy(Stopping.NEVER).run(TRAIN, TEST, same, Trainer.Start.RESUME, TrainingListener.NONE);
        var whole = SafeTensors.open(folder.resolve("whole/last.ckpt"));
        var resumed = SafeTensors.open(folder.resolve("run/last.ckpt"));
        for (String name : whole.names()) {
            assertArrayEquals(
                    whole.tensor(name).toDoubleArray(), resumed.tensor(name).toDoubleArray(), name);
        }
    }

    @Test
    void e1_a_run_that_was_interrupted_stops_where_the_undisturbed_one_does() throws IOException {
        // Too small a rate to change any prediction: no epoch after the first makes progress.
        var trainer = trainer(9, 1e-12, SessionOptions.DEFAULT, new SGD(), Schedule.CONSTANT)
                .stoppedBy(Stopping.patience(2, 0, Stopping.Metric.VAL_ACCURACY));
        run(trainer, "whole", TrainingListener.NONE);
        assertEquals(4L, metrics("whole").getLast().get("epoch"));
        TrainerTest.runInterrupted(trainer, folder.resolve("broken"), 2);
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("whole/last.ckpt")),
                Files.readAllBytes(folder.resolve("broken/last.ckpt")));
        assertEquals(4, metrics("broken").size());
    }

    @Test
    void t3_the_time_before_an_interruption_counts() throws IOException {
        var trainer = trainer(2, 0.02, SessionOptions.DEFAULT).stoppedBy(Stopping.afterSteps(130));
        RunFolder run = RunFolder.create(folder.resolve("run"));
        trainer.run(TRAIN, TEST, run, Trainer.Start.FRESH, TrainingListener.NONE);
        double before = (double) metrics("run").getLast().get("elapsed_seconds");
        trainer.stoppedBy((step, passes, seconds, validations) -> step == 131 || seconds < before)
                .run(TRAIN, TEST, run, Trainer.Start.RESUME, TrainingListener.NONE);
        assertEquals(131L, metrics("run").getLast().get("step"));
        assertTrue((double) metrics("run").getLast().get("elapsed_seconds") > before);
    }

    @Test
    void t6_every_value_has_its_step_its_epoch_and_its_time_and_k_passes_are_exactly_k() throws IOException {
        Dataset uneven = Digits.generate(1_003, 1, Split.TRAIN); // the last batch has three images
        var recipe =
                new Recipe(3, 10, new SGD(), Schedule.CONSTANT, 0.01, new CrossEntropyLoss(), Augmentation.NONE, 5);
        List<Double> passes = new ArrayList<>();
        List<Double> whole = new ArrayList<>();
        List<Double> seconds = new ArrayList<>();
        new Trainer(net(), CARD, recipe, SessionOptions.DEFAULT)
                .run(
                        uneven,
                        TEST,
                        RunFolder.create(folder.resolve("run")),
                        Trainer.Start.FRESH,
                        new TrainingListener() {
                            @Override
                            public void stepDone(long step, double passesDone, double loss, double rate, double norm) {
                                passes.add(passesDone);
                                assertEquals(passes.size(), step);
                                assertEquals(0.01, rate);
                                assertTrue(Double.isNaN(norm)); // nobody asked for it
                            }

                            @Override
                            public void epochDone(EpochResult result) {
                                whole.add(result.passes());
                                seconds.add(result.elapsedSeconds());
                            }
                        });
        assertEquals(List.of(1.0, 2.0, 3.0), whole);
        assertEquals(List.of(1.0, 2.0, 3.0), List.of(passes.get(100), passes.get(201), passes.get(302)));
        assertEquals(10 / 1003.0, passes.getFirst());
        assertEquals(seconds.stream().sorted().toList(), seconds);
    }

    @Test
    void the_gradient_norm_is_told_where_it_is_known() throws IOException {
        List<Double> norms = new ArrayList<>();
        run(
                trainer(1, 0.01, SessionOptions.DEFAULT, new SGD().clipped(Clipping.norm(1e6)), Schedule.CONSTANT),
                "run",
                new TrainingListener() {
                    @Override
                    public void stepDone(long step, double passes, double loss, double rate, double norm) {
                        norms.add(norm);
                    }
                });
        assertEquals(130, norms.stream().filter(norm -> norm > 0).count());
    }
}
