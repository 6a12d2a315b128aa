package dev.tarn.lab;

import dev.tarn.data.Dataset;
import dev.tarn.io.RunFolder;
import dev.tarn.session.DivergenceException;
import dev.tarn.session.EpochResult;
import dev.tarn.session.Recipe;
import dev.tarn.session.Stopping;
import dev.tarn.session.Trainer;
import dev.tarn.session.TrainingListener;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The first steps of training under several recipes, which are judged by the validation data afterwards (the advice of Goodfellow,
 * Bengio and Courville, "Deep Learning", 2016, section 11.4, and of many courses: try each rate for about 100 steps). Recipes of one
 * seed, batch size, sampling and augmentation begin with the same weights and meet the same batches, to the bit; a run of
 * {@link Trainer} to its end begins with the same steps.
 */
public final class Probe {
    /**
     * What a recipe led to.
     *
     * @param losses of each step's batch, before the step; they end before the step whose loss was not finite
     * @param validated what the network came to, or null if the loss stopped being finite
     */
    public record Outcome(
            String name,
            Recipe recipe,
            List<Double> losses,
            @Nullable EpochResult validated) {
        public Outcome {
            losses = List.copyOf(losses);
        }
    }

    private Probe() {}

    /**
     * Trains a network for some steps, or for the recipe's epochs where those are fewer. What {@link Trainer} keeps on disk goes to a
     * temporary folder, which is gone afterwards.
     *
     * @param trainer of the network by a recipe
     * @throws IOException if the temporary folder cannot be written
     * @throws IllegalArgumentException if there is not at least one step
     * @throws dev.tarn.memory.MemoryBudgetException if the plan is over the budget
     */
    public static Outcome run(
            String name,
            Recipe recipe,
            Function<Recipe, Trainer> trainer,
            long steps,
            Dataset train,
            Dataset validation)
            throws IOException {
        var recorder = new Recorder();
        Path folder = Files.createTempDirectory("tarn-probe");
        try {
            trainer.apply(recipe)
                    .stoppedBy(Stopping.afterSteps(steps))
                    .run(train, validation, RunFolder.create(folder), Trainer.Start.FRESH, recorder);
        } catch (DivergenceException e) {
            recorder.last = null; // nothing that was before makes up for it
        } finally {
            delete(folder);
        }
        return new Outcome(name, recipe, recorder.losses, recorder.last);
    }

    /** The outcome with the lowest loss on the validation data; empty if no loss stayed finite. */
    public static Optional<Outcome> best(List<Outcome> outcomes) {
        return outcomes.stream()
                .filter(outcome -> outcome.validated != null)
                .min(Comparator.comparingDouble(Probe::loss));
    }

    private static double loss(Outcome outcome) {
        return outcome.validated == null ? Double.NaN : outcome.validated.valLoss();
    }

    private static void delete(Path folder) throws IOException {
        try (var files = Files.newDirectoryStream(folder)) {
            for (Path file : files) {
                Files.delete(file);
            }
        }
        Files.delete(folder);
    }

    private static final class Recorder implements TrainingListener {
        private final List<Double> losses = new ArrayList<>();
        private @Nullable EpochResult last;

        @Override
        public void stepDone(long step, double passes, double loss, double learningRate, double gradientNorm) {
            losses.add(loss);
        }

        @Override
        public void epochDone(EpochResult result) {
            last = result;
        }
    }
}
