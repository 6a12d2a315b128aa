package dev.tarn.cli;

import dev.tarn.data.Dataset;
import dev.tarn.data.Fit;
import dev.tarn.data.Normalization;
import dev.tarn.io.FileFormatException;
import dev.tarn.io.SafeTensors;
import dev.tarn.models.ModelZoo;
import dev.tarn.session.Model;
import dev.tarn.session.ModelCard;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which weights to use, and what must be said about them where their file does not. */
final class WeightsOptions {
    private static final int USUAL_SIDE = 224;

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

    @Option(
            names = "--classes",
            paramLabel = "FILE",
            description = "Names of the classes, one a line, where neither the weights nor the data say them.")
    private @Nullable Path classes;

    /** How pictures become images that the model takes. */
    Fit fit() throws IOException {
        Optional<ModelCard> stored = ModelCard.of(weights, file());
        if (stored.isEmpty() && model == null) {
            return Fit.of(USUAL_SIDE); // and what is missing is asked for with the rest
        }
        Shape image = stored.map(ModelCard::image)
                .orElseGet(() -> ModelZoo.find(String.valueOf(model)).image());
        return Fit.of(Math.toIntExact(image.size(1)));
    }

    /** What is known about the weights; {@code data} tells image shape and classes where the file does not. */
    ModelCard card(Dataset data) throws IOException {
        Optional<ModelCard> stored = ModelCard.of(weights, file());
        if (stored.isPresent()) {
            refuseContradiction(stored.get());
            return stored.get();
        }
        boolean isNamed = classes != null || data.classNames().size() > 1; // pictures of no known class have one
        if (model == null || mean == null || std == null || !isNamed) {
            throw new UsageException("%s does not say what it holds; add %s".formatted(weights, missing(isNamed)));
        }
        var normalization = new Normalization(ModelCard.parseNumbers(mean), ModelCard.parseNumbers(std));
        return new ModelCard(
                model, data.imageShape(), normalization, classes == null ? data.classNames() : names(classes));
    }

    private static List<String> names(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UsageException("--classes %s cannot be read: %s".formatted(file, e.getMessage()), e);
        }
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

    private String missing(boolean isNamed) {
        return String.join(
                " and ",
                Stream.of(
                                model == null ? "--model NAME" : "",
                                mean == null ? "--mean LIST" : "",
                                std == null ? "--std LIST" : "",
                                isNamed ? "" : "--classes FILE")
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
        if (classes != null) {
            throw new UsageException("%s names its classes itself; leave out --classes".formatted(weights));
        }
    }

    /** The model, with its weights. */
    Model load(ModelCard card) throws IOException {
        return Model.load(ModelZoo.create(card), weights);
    }

    /** @throws UsageException if folders are not named as the classes that they will be taken for */
    static void requireFolders(ModelCard card, Dataset data, String uri) {
        List<String> folders = data.classNames();
        for (int c = 0; c < folders.size() && uri.startsWith("folder:"); c++) {
            String known = c < card.classes() ? card.classNames().get(c) : "none";
            if (!known.equals(folders.get(c))) {
                throw new UsageException(
                        "class %d of %s is '%s', and of the model '%s'; name the folders as the model's classes"
                                .formatted(c, uri, folders.get(c), known));
            }
        }
    }

    /** @throws UsageException if the model cannot take the data's images */
    static void requireImages(ModelCard card, Dataset data, String uri) {
        if (!data.imageShape().equals(card.image())) {
            throw new UsageException("%s has images of %s, and the model takes %s; choose other data or weights"
                    .formatted(uri, ModelCard.imageText(data.imageShape()), ModelCard.imageText(card.image())));
        }
    }
}
