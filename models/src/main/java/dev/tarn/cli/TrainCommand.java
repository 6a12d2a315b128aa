package dev.tarn.cli;

import dev.tarn.io.RunFolder;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import dev.tarn.session.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;

/** Trains a model, validates it after each epoch, and keeps the best and the last state. */
@Command(name = "train", description = "Trains a model; keeps the best weights and the last state in a run folder.")
final class TrainCommand extends Subcommand {
    /** Set-up, and where the run is kept. */
    private static final class Setup {
        @ArgGroup(validate = false)
        private SetupOptions common = new SetupOptions();

        @ArgGroup(validate = false)
        private RunOptions run = new RunOptions();

        @ArgGroup(validate = false)
        private Warnings warnings = new Warnings();
    }

    /** What judges the network, and ends its training. */
    private static final class Evaluation {
        @ArgGroup(validate = false)
        private ValidationOptions validation = new ValidationOptions();

        @ArgGroup(validate = false)
        private StoppingOptions stopping = new StoppingOptions();
    }

    @ArgGroup(validate = false, heading = SetupOptions.HEADING)
    private Setup setup = new Setup();

    @ArgGroup(validate = false, heading = RecipeOptions.HEADING)
    private RecipeOptions dynamics = new RecipeOptions();

    @ArgGroup(validate = false, heading = ValidationOptions.HEADING)
    private Evaluation evaluation = new Evaluation();

    TrainCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        SetupOptions common = setup.common;
        Recipe recipe = dynamics.over(common.model().recipe(), common.regularization());
        setup.run.requireFolder();
        DataOptions.Data data = common.open(evaluation.validation.share(), recipe.seed());
        ModelCard card = common.card(data.train());
        Trainer trainer = setup.run.applyTo(common.trainer(card, recipe)).stoppedBy(evaluation.stopping.stopping());
        // Whatever is wrong with the request shows before anything is written.
        long planned = trainer.plan(data.train(), data.validation())
                .requireWithin(common.compute().memoryBudget())
                .byteSize();
        Map<String, Object> more = common.toJson();
        more.putAll(evaluation.stopping.toJson());
        RunFolder folder = openFolder(
                card.architecture(),
                RunSettings.of(
                        card.architecture(),
                        common.data().uri(),
                        recipe,
                        more,
                        common.compute(),
                        data.train(),
                        data.validation()));
        text().printf(
                        "%s on %s: %,d training and %,d validation images, %,d bytes off-heap planned, run folder %s%n",
                        card.architecture(),
                        common.data().uri(),
                        data.train().size(),
                        data.validation().size(),
                        planned,
                        folder.path());
        try (var recording = setup.run.recording(folder.path())) {
            new TrainReport(this, progress(), folder, setup.warnings, planned).run(trainer, data, setup.run.start());
        }
    }

    private RunFolder openFolder(String model, Map<String, Object> settings) {
        try {
            Path out = setup.run.out();
            if (setup.run.start() == Trainer.Start.RESUME && out != null) {
                RunFolder folder = RunFolder.open(out);
                RunSettings.requireSame(out, settings, folder.settings());
                return folder;
            }
            RunFolder folder = RunFolder.create(out == null ? nextFree(model) : out);
            folder.writeSettings(settings);
            return folder;
        } catch (IOException e) {
            throw new UsageException(String.valueOf(e.getMessage()), e);
        }
    }

    private static Path nextFree(String model) {
        int number = 1;
        while (Files.exists(Path.of("runs", model + "-" + number))) {
            number++;
        }
        return Path.of("runs", model + "-" + number);
    }
}
