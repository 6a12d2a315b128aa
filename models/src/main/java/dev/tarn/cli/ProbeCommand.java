package dev.tarn.cli;

import dev.tarn.io.AtomicFile;
import dev.tarn.lab.LossCurves;
import dev.tarn.lab.Probe;
import dev.tarn.lab.Probe.Outcome;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The first steps of training under several learning rates and optimizers, and which did best on the validation data. */
@Command(
        name = "probe",
        description =
                "Tries each of several --lr and --optimizer (lists with commas) for some steps, from the same weights"
                        + " and on the same batches, and names the best on the validation data.")
final class ProbeCommand extends Subcommand {
    @Option(names = "--steps", paramLabel = "N", description = "Steps with each (default: ${DEFAULT-VALUE}).")
    private long steps = 100;

    @Option(names = "--out", paramLabel = "FILE", description = "The chart (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("probe.svg");

    @ArgGroup(validate = false, heading = SetupOptions.HEADING)
    private SetupOptions setup = new SetupOptions();

    @ArgGroup(validate = false, heading = RecipeOptions.HEADING)
    private RecipeOptions dynamics = new RecipeOptions();

    @ArgGroup(validate = false, heading = ValidationOptions.HEADING)
    private ValidationOptions validation = new ValidationOptions();

    ProbeCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        Map<String, Recipe> recipes = dynamics.each(setup.model().recipe(), setup.regularization());
        long seed = recipes.values().iterator().next().seed(); // they have one in common
        DataOptions.Data data = setup.open(validation.share(), seed);
        ModelCard card = setup.card(data.train());
        List<Outcome> outcomes = new ArrayList<>();
        text().printf("%-28s %6s %12s %12s %14s%n", "candidate", "steps", "last loss", "val loss", "val accuracy");
        for (var candidate : recipes.entrySet()) {
            Outcome outcome = Probe.run(
                    candidate.getKey(),
                    candidate.getValue(),
                    recipe -> setup.trainer(card, recipe),
                    steps,
                    data.train(),
                    data.validation());
            outcomes.add(outcome);
            print(outcome);
            emit(toJson(outcome));
        }
        AtomicFile.write(out, LossCurves.svg(outcomes));
        Optional<Outcome> best = Probe.best(outcomes);
        text().printf("best on validation: %s%n", best.map(Outcome::name).orElse("none, for no loss stayed finite"));
        text().printf("chart: %s%n", out);
        Map<String, @Nullable Object> done = new LinkedHashMap<>();
        done.put("event", "done");
        done.put("best", best.map(Outcome::name).orElse(null));
        done.put("chart", out.toString());
        emit(done);
    }

    private void print(Outcome outcome) {
        text().printf(
                        Locale.ROOT,
                        "%-28s %6d %12.4f %s%n",
                        outcome.name(),
                        outcome.losses().size(),
                        outcome.losses().isEmpty()
                                ? Double.NaN
                                : outcome.losses().getLast(),
                        outcome.validated() == null
                                ? "   the loss stopped being finite"
                                : String.format(
                                        Locale.ROOT,
                                        "%12.4f %14.4f",
                                        outcome.validated().valLoss(),
                                        outcome.validated().valAccuracy()));
    }

    private static Map<String, @Nullable Object> toJson(Outcome outcome) {
        Map<String, @Nullable Object> event = new LinkedHashMap<>();
        event.put("event", "candidate");
        event.put("name", outcome.name());
        event.put("optimizer", outcome.recipe().optimizer().toString());
        event.put("lr", outcome.recipe().rate());
        event.put("steps", outcome.losses().size());
        event.put("losses", outcome.losses());
        var validated = outcome.validated();
        event.put("val_loss", validated == null ? null : validated.valLoss());
        event.put("val_accuracy", validated == null ? null : validated.valAccuracy());
        return event;
    }
}
