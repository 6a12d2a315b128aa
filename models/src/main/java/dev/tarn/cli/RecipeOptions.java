package dev.tarn.cli;

import dev.tarn.data.Augmentation;
import dev.tarn.optim.Schedule;
import dev.tarn.session.Recipe;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** How to train, where it differs from the model's own recipe. */
final class RecipeOptions {
    @Option(
            names = "--epochs",
            paramLabel = "N",
            description = "Passes over the training images (default: the model's).")
    private @Nullable Long epochs;

    @Option(names = "--batch", paramLabel = "N", description = "Images in a step (default: the model's).")
    private @Nullable Long batch;

    @Option(
            names = "--label-smoothing",
            paramLabel = "S",
            description = "Share of each target spread over all classes (default: the model's).")
    private @Nullable Double labelSmoothing;

    @Option(
            names = "--augment",
            paramLabel = "LIST",
            description = "Random changes of training images: none, crop, flip or crop,flip (default: the model's).")
    private @Nullable String augment;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of weights, order and augmentation (default: 1). The same seed gives the same bits.")
    private @Nullable Long seed;

    @Option(
            names = "--schedule",
            paramLabel = "TEXT",
            description = {
                "Learning rate over the run (default: the model's):",
                "  constant",
                "  cosine               down to zero along half a cosine",
                "  step                 a tenth after each third of the run",
                "  step=30:0.1          times 0.1 every 30 epochs",
                "  step=30/60/80:0.1    times 0.1 at these epochs",
                "  exponential=K        times exp(-K * epoch)",
                "  inverse=K            divided by 1 + K * epoch",
                "  plateau=0.5          halved when the validation error stops falling;",
                "                       ,patience=5 ,cooldown=0 ,min=0 may follow",
                "  ... ,warmup=5        grows linearly over the first 5 epochs",
                "  ... ,unit=step       counts steps in place of epochs"
            })
    private @Nullable String schedule;

    @ArgGroup(validate = false, heading = "%nOptimizer:%n")
    private OptimizerOptions optimizer = new OptimizerOptions();

    @ArgGroup(validate = false, heading = "%nRegularisation of weights, clipping of gradients:%n")
    private RegularizationOptions regularization = new RegularizationOptions();

    Recipe over(Recipe own) {
        return new Recipe(
                epochs == null ? own.epochs() : epochs,
                batch == null ? own.batchSize() : batch,
                regularization.apply(optimizer.over(own.optimizer()), own.optimizer(), optimizer.isAdamW()),
                schedule == null ? own.schedule() : Schedule.parse(schedule),
                optimizer.rate(own.rate()),
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
