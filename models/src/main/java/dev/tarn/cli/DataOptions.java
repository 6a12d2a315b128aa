package dev.tarn.cli;

import dev.tarn.data.Dataset;
import dev.tarn.data.Preprocessing;
import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine.Option;

/** What happens to the data before a network sees them. */
final class DataOptions {
    @Option(
            names = "--preprocess",
            paramLabel = "NAME",
            description =
                    "What every image goes through, measured on the training images and stored with the weights:"
                            + " channel-mean-std, channel-mean, mean-image, feature (mean and std of each pixel), min-max"
                            + " (each pixel to -1..1), pca=K, whiten=K (K principal components) or none (default:"
                            + " ${DEFAULT-VALUE}).")
    private String preprocess = Preprocessing.DEFAULT;

    Preprocessing measure(Dataset train) {
        return Preprocessing.measure(preprocess, train);
    }

    /** As a run folder keeps it. */
    Map<String, Object> toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("preprocess", preprocess);
        return fields;
    }
}
