package dev.tarn.cli;

import dev.tarn.data.Dataset;
import dev.tarn.io.RunFolder;
import dev.tarn.models.ModelZoo;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import dev.tarn.session.Trainer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a model, validates it after each epoch, and keeps the best and the last state. */
@Command(name = "train", description = "Trains a model; keeps the best weights and the last state in a run folder.")
final class TrainCommand extends Subcommand {
    @Option(
            names = "--model",
            required = true,
            paramLabel = "NAME",
            description = "lenet5, resnet20, mobilenet_v2, vgg11, resnet18 or resnet50.")
    private String model = "";

    @Option(names = "--data", required = true, paramLabel = "URI", description = "idx:DIR, cifar10:DIR or digits:N.")
    private String data = "";

    @Mixin
    private DataOptions dataOptions = new DataOptions();

    @Mixin
    private RecipeOptions recipeOptions = new RecipeOptions();

    @Mixin
    private InitOptions initOptions = new InitOptions();

    @Mixin
    private Warnings warnings = new Warnings();

    @Mixin
    private Compute compute = new Compute();

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "The run folder (default: runs/MODEL-1, or the next number that is free).")
    private @Nullable Path out;

    @Option(names = "--resume", description = "Go on with the run in --out, to the same bits as if it had not stopped.")
    private boolean resume;

    TrainCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        ModelZoo.Entry entry = ModelZoo.find(model);
        Recipe recipe = recipeOptions.over(entry.recipe());
        if (resume && out == null) {
            throw new UsageException("--resume goes on with a run, and --out says which; add --out DIR");
        }
        DataOptions.Data parts = dataOptions.open(data, recipe.seed());
        Dataset train = parts.train();
        Dataset validation = parts.validation();
        var card = new ModelCard(model, train.imageShape(), dataOptions.measure(train), train.classNames());
        var layer = entry.factory().create(card.classes(), card.image());
        var trainer = new Trainer(layer, card, recipe, initOptions.initialization(), compute.options());
        // Whatever is wrong with the request shows before anything is written.
        long planned = trainer.plan(train, validation)
                .requireWithin(compute.options().memoryBudget())
                .byteSize();
        Map<String, Object> more = dataOptions.toJson();
        more.putAll(initOptions.toJson());
        RunFolder folder = openFolder(RunSettings.of(model, data, recipe, more, compute.options(), train, validation));
        text().printf(
                        "%s on %s: %,d training and %,d validation images, %,d bytes off-heap planned, run folder %s%n",
                        model, data, train.size(), validation.size(), planned, folder.path());
        new TrainReport(this, progress(), folder, warnings)
                .run(trainer, parts, resume ? Trainer.Start.RESUME : Trainer.Start.FRESH);
    }

    private RunFolder openFolder(Map<String, Object> settings) {
        try {
            if (resume && out != null) {
                RunFolder folder = RunFolder.open(out);
                RunSettings.requireSame(out, settings, folder.settings());
                return folder;
            }
            RunFolder folder = out == null ? nextFree() : RunFolder.create(out);
            folder.writeSettings(settings);
            return folder;
        } catch (IOException e) {
            throw new UsageException(String.valueOf(e.getMessage()), e);
        }
    }

    private RunFolder nextFree() throws IOException {
        int number = 1;
        while (Path.of("runs", model + "-" + number).toFile().exists()) {
            number++;
        }
        return RunFolder.create(Path.of("runs", model + "-" + number));
    }
}
