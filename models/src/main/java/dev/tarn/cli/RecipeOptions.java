package dev.tarn.cli;

import dev.tarn.data.Augmentation;
import dev.tarn.optim.SGD;
import dev.tarn.session.Recipe;
import dev.tarn.session.Recipe.Schedule;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How to train, where it differs from the model's own recipe. */
final class RecipeOptions {
    /** The optimizers by name. */
    enum OptimizerName {
        SGD
    }

    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the training images (default: the model's).")
    private @Nullable Long epochs;

    @Option(names = "--batch", paramLabel = "N", description = "Images in a step (default: the model's).")
    private @Nullable Long batch;

    @Option(names = "--optimizer", paramLabel = "NAME", description = "sgd (default).")
    private OptimizerName optimizer = OptimizerName.SGD;

    @Option(names = "--lr", paramLabel = "RATE", description = "Learning rate at the start (default: the model's).")
    private @Nullable Double rate;

    @Option(names = "--momentum", paramLabel = "M", description = "Default: ${DEFAULT-VALUE}.")
    private double momentum = 0.9;

    @Option(
            names = "--weight-decay",
            paramLabel = "D",
            description = "Of weights, not of biases (default: ${DEFAULT-VALUE}).")
    private double weightDecay = 5e-4;

    @Option(
            names = "--no-nesterov",
            negatable = true,
            description = "Follow the gradient ahead along the velocity, or not (default: --nesterov).")
    private boolean nesterov = true;

    @Option(
            names = "--schedule",
            paramLabel = "NAME",
            description =
                    "Learning rate over the run: constant, step (a tenth after each third) or cosine (default: the"
                            + " model's).")
    private @Nullable Schedule schedule;

    @Option(
            names = "--label-smoothing",
            paramLabel = "S",
            description = "Share of each target spread over all classes (default: the model's).")
    private @Nullable Double labelSmoothing;

    @Option(
            names = "--augment",
            paramLabel = "LIST",
            description =
                    "Random changes of training images: none, or some of crop=4, flip, resized-crop=0.08, jitter=0.4,"
                            + " erase=0.25, with commas between (default: the model's).")
    private @Nullable String augment;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of weights, order and augmentation (default: 1). The same seed gives the same bits.")
    private @Nullable Long seed;

    Recipe over(Recipe own) {
        SGD sgd = new SGD().momentum(momentum).weightDecay(weightDecay);
        return new Recipe(
                epochs == null ? own.epochs() : epochs,
                batch == null ? own.batchSize() : batch,
                nesterov && momentum > 0 ? sgd.nesterov() : sgd,
                schedule == null ? own.schedule() : schedule,
                rate == null ? own.rate() : rate,
                labelSmoothing == null ? own.labelSmoothing() : labelSmoothing,
                augment == null ? own.augmentation() : Augmentation.parse(augment),
                seed == null ? own.seed() : seed);
    }

    /** A recipe as a run folder keeps it. */
    static Map<String, Object> toJson(Recipe recipe) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("epochs", recipe.epochs());
        fields.put("batch", recipe.batchSize());
        fields.put("optimizer", recipe.optimizer().toString());
        fields.put("schedule", recipe.schedule().toString());
        fields.put("lr", recipe.rate());
        fields.put("label_smoothing", recipe.labelSmoothing());
        fields.put("augment", recipe.augmentation().toString());
        fields.put("seed", recipe.seed());
        return fields;
    }
}
