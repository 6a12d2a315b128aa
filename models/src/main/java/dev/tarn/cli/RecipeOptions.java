package dev.tarn.cli;

import dev.tarn.data.Augmentation;
import dev.tarn.data.Sampling;
import dev.tarn.session.Recipe;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How to train, where it differs from the model's own recipe. */
final class RecipeOptions {
    static final String HEADING = "%nDynamics: what happens in each step%n";

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the training images (default: the model's).")
    private @Nullable Long epochs;

    @Option(names = "--batch", paramLabel = "N", description = "Images in a step (default: the model's).")
    private @Nullable Long batch;

    @Option(
            names = "--micro-batch",
            paramLabel = "N",
            description =
                    "Lets a batch pass in parts of at most N images, whose gradients add up; batch normalisation sees"
                            + " each part alone (default: all at once).")
    private @Nullable Long microBatch;

    @ArgGroup(validate = false)
    private LossOptions loss = new LossOptions();

    @Option(
            names = "--augment",
            paramLabel = "LIST",
            description =
                    "Random changes of training images: none, or some of crop=4, flip, resized-crop=0.08, jitter=0.4,"
                            + " erase=0.25, with commas between (default: the model's).")
    private @Nullable String augment;

    @Option(
            names = "--sampling",
            paramLabel = "NAME",
            description =
                    "Which images an epoch has: shuffled (each once, in a fresh order), sequential or with-replacement"
                            + " (default: shuffled).")
    private @Nullable Sampling sampling;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of weights, order and augmentation (default: 1). The same seed gives the same bits.")
    private @Nullable Long seed;

    @ArgGroup(validate = false)
    private OptimizerOptions optimizer = new OptimizerOptions();

    /**
     * The recipe that was asked for.
     *
     * @throws UsageException if there are several, by a list of optimizers or rates
     */
    Recipe over(Recipe own, RegularizationOptions regularization) {
        Map<String, Recipe> all = each(own, regularization);
        if (all.size() > 1) {
            throw new UsageException("a run has one --optimizer and one --lr; tarn probe compares several");
        }
        return all.values().iterator().next();
    }

    /** Recipes that differ in what was listed, by what was said. */
    Map<String, Recipe> each(Recipe own, RegularizationOptions regularization) {
        Map<String, Recipe> recipes = new LinkedHashMap<>();
        for (OptimizerOptions.Choice choice : optimizer.choices(own)) {
            long images = batch == null ? own.batchSize() : batch;
            var recipe = new Recipe(
                    epochs == null ? own.epochs() : epochs,
                    images,
                    microBatch == null ? images : microBatch,
                    regularization.apply(choice.optimizer(), own.optimizer(), choice.isAdamW()),
                    optimizer.schedule(own.schedule()),
                    choice.rate(),
                    loss.over(own.loss()),
                    augment == null ? own.augmentation() : Augmentation.parse(augment),
                    sampling == null ? own.sampling() : sampling,
                    seed == null ? own.seed() : seed);
            recipes.put(choice.label(), recipe);
        }
        return recipes;
    }

    /** A recipe as a run folder keeps it. */
    static Map<String, Object> toJson(Recipe recipe) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("epochs", recipe.epochs());
        fields.put("batch", recipe.batchSize());
        fields.put("micro_batch", recipe.microBatch());
        fields.put("optimizer", recipe.optimizer().toString());
        fields.put("schedule", recipe.schedule().toString());
        fields.put("lr", recipe.rate());
        fields.put("loss", recipe.loss().toString());
        fields.put("augment", recipe.augmentation().toString());
        fields.put("sampling", recipe.sampling().toString());
        fields.put("seed", recipe.seed());
        return fields;
    }
}
