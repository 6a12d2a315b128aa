package dev.tarn.cli;

import dev.tarn.data.DataUri;
import dev.tarn.data.Dataset;
import dev.tarn.data.Fit;
import dev.tarn.data.HeldOut;
import dev.tarn.data.Preprocessing;
import dev.tarn.data.Split;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Which images there are, and what happens to them before a network sees them. */
final class DataOptions {
    /**
     * The data of a run.
     *
     * @param validation what the best epoch is chosen by
     * @param test what the best epoch is judged by in the end, or null where it was what chose it
     */
    record Data(Dataset train, Dataset validation, @Nullable Dataset test) {}

    @Option(
            names = "--data",
            required = true, // for the synopsis; see Subcommand.require
            paramLabel = "URI",
            description = "idx:DIR, cifar10:DIR, folder:DIR or digits:N.")
    private @Nullable String uri;

    @Option(
            names = "--image-size",
            paramLabel = "N",
            description = "Bring pictures of folder:DIR to N x N (default: what the model was made for).")
    private @Nullable Integer side;

    @ArgGroup(validate = false)
    private PictureOptions pictures = new PictureOptions();

    @Option(
            names = "--preprocess",
            paramLabel = "NAME",
            description = "What every image goes through, measured on the training images and stored with the weights:"
                    + " channel-mean-std, channel-mean, mean-image, feature (mean and std of each pixel), min-max"
                    + " (each pixel to -1..1), pca=K, whiten=K (K principal components) or none (default:"
                    + " ${DEFAULT-VALUE}).")
    private String preprocess = Preprocessing.DEFAULT;

    String uri() {
        return Subcommand.require("--data URI", uri);
    }

    /**
     * @param share of the training images to hold out, or null to validate on the test split
     * @param usualSide what pictures are brought to if nothing else is said
     */
    Data open(@Nullable Double share, long seed, int usualSide) {
        Fit fit = Fit.of(side == null ? usualSide : side);
        Dataset train = DataUri.open(uri(), Split.TRAIN, seed, fit, pictures.corrupt());
        Dataset test = DataUri.open(uri(), Split.TEST, seed, fit, pictures.corrupt());
        if (share == null) {
            return new Data(train, test, null);
        }
        HeldOut parts = HeldOut.split(train, share);
        return new Data(parts.train(), parts.validation(), test);
    }

    Preprocessing measure(Dataset train) {
        return Preprocessing.measure(preprocess, train);
    }

    /** As a run folder keeps it; which images are held out shows in the fingerprints of the data. */
    Map<String, Object> toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("preprocess", preprocess);
        return fields;
    }
}
