package dev.tarn.cli;

import dev.tarn.data.Dataset;
import dev.tarn.data.Normalization;
import dev.tarn.io.FileFormatException;
import dev.tarn.io.SafeTensors;
import dev.tarn.models.ModelZoo;
import dev.tarn.session.Model;
import dev.tarn.session.ModelCard;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which weights to use, and what must be said about them where their file does not. */
final class WeightsOptions {
    @Option(names = "--weights", required = true, paramLabel = "FILE", description = "A safetensors file.")
    private Path weights = Path.of("");

    @Option(names = "--model", paramLabel = "NAME", description = "The architecture, where the file does not say it.")
    private @Nullable String model;

    @Option(
            names = "--mean",
            paramLabel = "LIST",
            description =
                    "Mean of each channel on the scale of 0 to 1, such as 0.485,0.456,0.406, where the file does not"
                            + " say it.")
    private @Nullable String mean;

    @Option(names = "--std", paramLabel = "LIST", description = "Standard deviation of each channel, likewise.")
    private @Nullable String std;

    /** What is known about the weights; {@code data} tells image shape and classes where the file does not. */
    ModelCard card(Dataset data) throws IOException {
        Optional<ModelCard> stored = ModelCard.of(weights, file());
        if (stored.isPresent()) {
            refuseContradiction(stored.get());
            return stored.get();
        }
        if (model == null || mean == null || std == null) {
            throw new UsageException("%s does not say what it holds; add %s".formatted(weights, missing()));
        }
        var normalization = new Normalization(ModelCard.parseNumbers(mean), ModelCard.parseNumbers(std));
        return new ModelCard(model, data.imageShape(), normalization, data.classNames());
    }

    private SafeTensors file() throws FileFormatException {
        try {
            return SafeTensors.open(weights);
        } catch (FileFormatException e) {
            throw e;
        } catch (IOException e) {
            throw new UsageException(String.valueOf(e.getMessage()), e);
        }
    }

    private String missing() {
        return String.join(
                " and ",
                Stream.of(
                                model == null ? "--model NAME" : "",
                                mean == null ? "--mean LIST" : "",
                                std == null ? "--std LIST" : "")
                        .filter(option -> !option.isEmpty())
                        .toList());
    }

    /** What a file says of itself is what it was trained with; another answer would be a wrong one. */
    private void refuseContradiction(ModelCard stored) {
        if (model != null && !model.equals(stored.architecture())) {
            throw new UsageException(
                    "%s holds a %s, not a %s; leave out --model".formatted(weights, stored.architecture(), model));
        }
        if (mean != null || std != null) {
            throw new UsageException("%s says its own mean and std; leave out --mean and --std".formatted(weights));
        }
    }

    /** The model, with its weights. */
    Model load(ModelCard card) throws IOException {
        return Model.load(ModelZoo.create(card), weights);
    }

    /** @throws UsageException if the model cannot take the data's images */
    static void requireImages(ModelCard card, Dataset data, String uri) {
        if (!data.imageShape().equals(card.image())) {
            throw new UsageException("%s has images of %s, and the model takes %s; choose other data or weights"
                    .formatted(uri, ModelCard.imageText(data.imageShape()), ModelCard.imageText(card.image())));
        }
    }
}
