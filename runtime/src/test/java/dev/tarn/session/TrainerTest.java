package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation;
import dev.tarn.data.Batch;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Dataset;
import dev.tarn.data.Digits;
import dev.tarn.data.MemoryDataset;
import dev.tarn.data.Normalization;
import dev.tarn.data.Split;
import dev.tarn.io.Json;
import dev.tarn.io.RunFolder;
import dev.tarn.io.SafeTensors;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.MemoryBudgetException;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.AdaGrad;
import dev.tarn.optim.Adam;
import dev.tarn.optim.Group;
import dev.tarn.optim.LearningRate;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrainerTest {
    static final Dataset TRAIN = Digits.generate(1_300, 1, Split.TRAIN);
    static final Dataset TEST = Digits.generate(200, 1, Split.TEST);
    static final ModelCard CARD =
            new ModelCard("small", TRAIN.imageShape(), Normalization.measure(TRAIN), TRAIN.classNames());

    @TempDir
    Path folder;

    static Layer net() {
        return new Sequential(
                new Conv2d(1, 6, window(5), Bias.LEARNED),
                new ReLU(),
                new MaxPool2d(4),
                new Flatten(),
                new Linear(6 * 6 * 6, 10));
    }

    static Trainer trainer(long epochs, double rate, SessionOptions options) {
        return trainer(epochs, rate, options, new SGD().momentum(0.9), Schedule.COSINE);
    }

    static Trainer trainer(long epochs, double rate, SessionOptions options, Optimizer optimizer, Schedule schedule) {
        var recipe = new Recipe(epochs, 10, optimizer, schedule, rate, new CrossEntropyLoss(0.1), Augmentation.NONE, 5);
        return new Trainer(net(), CARD, recipe, options);
    }

    private Trainer.Result run(Trainer trainer, String name, TrainingListener listener) throws IOException {
        return trainer.run(TRAIN, TEST, RunFolder.create(folder.resolve(name)), Trainer.Start.FRESH, listener);
    }

    /** A run that is thrown out of after an epoch, and resumed. */
    static void runInterrupted(Trainer trainer, Path path, long epoch) throws IOException {
        RunFolder broken = RunFolder.create(path);
        assertThrows(
                IllegalStateException.class,
                () -> trainer.run(TRAIN, TEST, broken, Trainer.Start.FRESH, new TrainingListener() {
                    @Override
                    public void epochDone(EpochResult result) {
                        if (result.epoch() == epoch) {
                            throw new IllegalStateException("stopped");
                        }
                    }
                }));
        trainer.run(TRAIN, TEST, broken, Trainer.Start.RESUME, TrainingListener.NONE);
    }

    /** That steps take nothing of the heap either is tested with the session: checked mode, on here, makes a view in each. */
    @Test
    void everything_off_heap_is_there_before_the_second_epoch() throws IOException {
        var first = new AtomicLong();
        var last = new AtomicLong();
        run(trainer(3, 0.02, SessionOptions.DEFAULT), "run", new TrainingListener() {
            @Override
            public void epochDone(EpochResult result) {
                (result.epoch() == 1 ? first : last).set(MemoryAccount.allocated());
            }
        });
        assertEquals(first.get(), last.get());
    }

    @Test
    void best_is_the_first_epoch_with_the_highest_accuracy() throws IOException {
        List<EpochResult> epochs = new ArrayList<>();
        Trainer.Result result = run(trainer(4, 0.05, SessionOptions.DEFAULT), "run", new TrainingListener() {
            @Override
            public void epochDone(EpochResult epoch) {
                epochs.add(epoch);
            }
        });
        assertEquals(4, epochs.size());
        double best =
                epochs.stream().mapToDouble(EpochResult::valAccuracy).max().orElseThrow();
        assertEquals(best, result.bestAccuracy());
        EpochResult first =
                epochs.stream().filter(e -> e.valAccuracy() == best).findFirst().orElseThrow();
        assertEquals(first.epoch(), result.bestEpoch());
        assertTrue(epochs.getLast().trainLoss() < epochs.getFirst().trainLoss());
        assertEquals(4 * 130, epochs.getLast().step());
    }

    @Test
    void the_best_file_scores_what_was_reported_and_says_what_it_is() throws IOException {
        Trainer.Result result = run(trainer(2, 0.05, SessionOptions.DEFAULT), "run", TrainingListener.NONE);
        Path best = folder.resolve("run/best.safetensors");
        assertEquals(CARD, ModelCard.of(best, SafeTensors.open(best)).orElseThrow());
        try (var model = Model.load(net(), best);
                var session = model.inference(Shape.of(64, 1, 28, 28));
                var loader = DataLoader.of(TEST, 64).preprocessed(CARD.preprocessing())) {
            assertEquals(result.bestAccuracy(), Evaluation.of(session, loader).accuracy());
        }
    }

    @Test
    void a_plan_over_the_budget_allocates_and_writes_nothing() throws IOException {
        long before = MemoryAccount.allocated();
        long exact = assertThrows(
                        MemoryBudgetException.class,
                        () -> run(
                                trainer(1, 0.02, SessionOptions.DEFAULT.withMemoryBudget(0)),
                                "nothing",
                                TrainingListener.NONE))
                .needed();
        assertThrows(
                MemoryBudgetException.class,
                () -> run(
                        trainer(1, 0.02, SessionOptions.DEFAULT.withMemoryBudget(exact - 1)),
                        "less",
                        TrainingListener.NONE));
        assertEquals(before, MemoryAccount.allocated());
        run(trainer(1, 0.02, SessionOptions.DEFAULT.withMemoryBudget(exact)), "exact", TrainingListener.NONE);
        assertEquals(before + exact, MemoryAccount.allocated());
    }

    @Test
    void a_loss_that_is_not_finite_stops_the_run() {
        var e = assertThrows(
                DivergenceException.class,
                () -> run(trainer(1, 1e30, SessionOptions.DEFAULT), "run", TrainingListener.NONE));
        assertTrue(String.valueOf(e.getMessage()).contains("epoch 1, step 2"), e.getMessage());
        assertFalse(Files.exists(folder.resolve("run/best.safetensors")));
    }

    @Test
    void t1_a_loop_written_by_hand_gives_the_same_bits_as_a_run() throws IOException {
        long epochs = 2;
        double start = 0.03;
        run(trainer(epochs, start, SessionOptions.DEFAULT), "run", TrainingListener.NONE);
        var last = SafeTensors.open(folder.resolve("run/last.ckpt"));
        try (var model = Model.create(net(), 5);
                var session =
                        model.training(Shape.of(10, 1, 28, 28), new CrossEntropyLoss(0.1), new SGD().momentum(0.9));
                var loader = DataLoader.of(TRAIN, 10)
                        .preprocessed(CARD.preprocessing())
                        .shuffled(5)) {
            var rate = LearningRate.cosine(start, epochs * loader.batches());
            for (long epoch = 0; epoch < epochs; epoch++) {
                for (Batch batch : loader.epoch(epoch)) {
                    session.forward(batch);
                    session.backward();
                    session.update(rate.at(session.step()));
                }
            }
            model.tensors()
                    .forEach((path, tensor) ->
                            assertArrayEquals(last.tensor(path).toDoubleArray(), tensor.toDoubleArray(), path));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"cosine,warmup=1", "step=1:0.3", "exponential=0.01,unit=step", "inverse=0.5"})
    void o12_the_rate_that_is_logged_is_that_of_the_schedule_whatever_the_optimizer(String text) throws IOException {
        double start = 1e-3;
        Schedule schedule = Schedule.parse(text);
        LearningRate rate = schedule.over(3, 130, start);
        for (Optimizer optimizer : List.of(new SGD().momentum(0.9).nesterov(), new AdaGrad(), new Adam())) {
            String name = optimizer.getClass().getSimpleName();
            run(trainer(3, start, SessionOptions.DEFAULT, optimizer, schedule), name, TrainingListener.NONE);
            for (String line : Files.readAllLines(folder.resolve(name).resolve("metrics.jsonl"))) {
                Map<String, Object> metrics = Json.read(line);
                assertEquals(rate.at((long) metrics.get("step") - 1), metrics.get("learning_rate"));
            }
        }
    }

    @Test
    void r2_a_plateau_goes_on_where_it_was_when_a_run_is_resumed() throws IOException {
        double start = 1e-12; // too small to change any prediction, so every epoch after the first is idle
        Schedule schedule = Schedule.parse("plateau=0.5,patience=1");
        var trainer = trainer(6, start, SessionOptions.DEFAULT, new SGD(), schedule);
        List<Double> rates = new ArrayList<>();
        run(trainer, "whole", new TrainingListener() {
            @Override
            public void epochDone(EpochResult result) {
                rates.add(result.learningRate());
            }
        });
        assertEquals(List.of(start, start, start, start / 2, start / 2, start / 4), rates);
        runInterrupted(trainer, folder.resolve("broken"), 4);
        assertArrayEquals(
                Files.readAllBytes(folder.resolve("whole/last.ckpt")),
                Files.readAllBytes(folder.resolve("broken/last.ckpt")));
    }

    @Test
    void l2_the_regularisation_loss_is_logged_beside_that_of_the_data() throws IOException {
        var optimizer = new SGD().with(Group.all().l2(0.1));
        List<EpochResult> epochs = new ArrayList<>();
        run(trainer(1, 1e-9, SessionOptions.DEFAULT, optimizer, Schedule.CONSTANT), "run", new TrainingListener() {
            @Override
            public void epochDone(EpochResult result) {
                epochs.add(result);
            }
        });
        double squares = 0;
        var last = SafeTensors.open(folder.resolve("run/last.ckpt"));
        for (String path : List.of("0.weight", "4.weight")) {
            for (double w : last.tensor(path).toDoubleArray()) {
                squares += w * w;
            }
        }
        EpochResult epoch = epochs.getFirst();
        assertEquals(0.05 * squares, epoch.regularizationLoss(), 1e-12 * squares);
        assertEquals(epoch.trainLoss() + epoch.regularizationLoss(), epoch.totalLoss());
    }

    @Test
    void data_of_other_classes_are_refused() {
        var fewer = new MemoryDataset(TEST.size(), TEST.imageShape(), List.of("zero", "one"));
        assertThrows(
                ShapeException.class,
                () -> trainer(1, 0.02, SessionOptions.DEFAULT).plan(TRAIN, fewer));
    }
}
