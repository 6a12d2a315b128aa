package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Dataset;
import dev.tarn.data.Digits;
import dev.tarn.data.Normalization;
import dev.tarn.data.Split;
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
import dev.tarn.optim.SGD;
import dev.tarn.session.Recipe.Schedule;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrainerTest {
    private static final Dataset TRAIN = Digits.generate(1_300, 1, Split.TRAIN);
    private static final Dataset TEST = Digits.generate(200, 1, Split.TEST);
    private static final ModelCard CARD =
            new ModelCard("small", TRAIN.imageShape(), Normalization.measure(TRAIN), TRAIN.classNames());

    @TempDir
    Path folder;

    private static Layer net() {
        return new Sequential(
                new Conv2d(1, 6, window(5), Bias.LEARNED),
                new ReLU(),
                new MaxPool2d(4),
                new Flatten(),
                new Linear(6 * 6 * 6, 10));
    }

    private static Trainer trainer(long epochs, double rate, SessionOptions options) {
        var recipe = new Recipe(epochs, 10, new SGD().momentum(0.9), Schedule.COSINE, rate, 0.1, Augmentation.NONE, 5);
        return new Trainer(net(), CARD, recipe, options);
    }

    private Trainer.Result run(Trainer trainer, String name, TrainingListener listener) throws IOException {
        return trainer.run(TRAIN, TEST, RunFolder.create(folder.resolve(name)), Trainer.Start.FRESH, listener);
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
        var exact = trainer(1, 0.02, SessionOptions.DEFAULT).plan(TRAIN, TEST).byteSize();
        long before = MemoryAccount.allocated();
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
    void data_of_other_classes_are_refused() {
        Dataset fewer = new Dataset() {
            @Override
            public long size() {
                return TEST.size();
            }

            @Override
            public Shape imageShape() {
                return TEST.imageShape();
            }

            @Override
            public List<String> classNames() {
                return List.of("zero", "one");
            }

            @Override
            public int label(long index) {
                return 0;
            }

            @Override
            public void read(long index, MemorySegment target) {
                TEST.read(index, target);
            }
        };
        assertThrows(
                ShapeException.class,
                () -> trainer(1, 0.02, SessionOptions.DEFAULT).plan(TRAIN, fewer));
    }
}
