package dev.tarn.cli;

import dev.tarn.data.Dataset;
import dev.tarn.models.ModelZoo;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import dev.tarn.session.SessionOptions;
import dev.tarn.session.Trainer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** What is decided once, before training: network, data, first values, what holds weights back, and the share of the machine. */
final class SetupOptions {
    static final String HEADING = "%nSet-up, once: network, data, first values, regularisation%n";

    @Option(
            names = "--model",
            required = true, // for the synopsis; see Subcommand.require
            paramLabel = "NAME",
            completionCandidates = ModelOption.Names.class,
            description = ModelOption.DESCRIPTION)
    private @Nullable String model;

    @ArgGroup(validate = false)
    private DataOptions data = new DataOptions();

    @ArgGroup(validate = false)
    private StyleOptions style = new StyleOptions();

    @ArgGroup(validate = false)
    private InitOptions init = new InitOptions();

    @ArgGroup(validate = false)
    private RegularizationOptions regularization = new RegularizationOptions();

    @ArgGroup(validate = false)
    private Compute compute = new Compute();

    ModelZoo.Entry model() {
        return ModelZoo.find(Subcommand.require("--model NAME", model));
    }

    DataOptions data() {
        return data;
    }

    /** @param share of the training images to hold out, or null to validate on the test split */
    DataOptions.Data open(@Nullable Double share, long seed) {
        return data.open(share, seed, Math.toIntExact(model().image().size(1)));
    }

    RegularizationOptions regularization() {
        return regularization;
    }

    SessionOptions compute() {
        return compute.options();
    }

    /** The network for some data; what images go through is measured on them. */
    ModelCard card(Dataset train) {
        return new ModelCard(
                model().name(), style.style(), train.imageShape(), data.measure(train), train.classNames());
    }

    Trainer trainer(ModelCard card, Recipe recipe) {
        return new Trainer(ModelZoo.create(card), card, recipe, init.initialization(card.style()), compute.options());
    }

    /** As a run folder keeps it, beside the recipe. */
    Map<String, Object> toJson() {
        Map<String, Object> fields = new LinkedHashMap<>(data.toJson());
        fields.putAll(style.toJson());
        fields.putAll(init.toJson());
        return fields;
    }
}
