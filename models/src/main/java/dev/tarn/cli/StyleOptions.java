package dev.tarn.cli;

import dev.tarn.nn.Style;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a network has in place of its architecture's own. */
final class StyleOptions {
    @Option(
            names = "--activation",
            paramLabel = "NAME",
            description = Style.ACTIVATIONS + " (default: the model's, relu, and relu6 of mobilenet_v1 and v2).")
    private @Nullable String activation;

    @Option(
            names = "--norm",
            paramLabel = "NAME",
            description = Style.NORMALIZATIONS + " (default: the model's, batch, and none of lenet5, alexnet,"
                    + " squeezenet1_1 and plain vgg).")
    private @Nullable String normalization;

    @Option(
            names = "--dropout-keep",
            paramLabel = "P",
            description =
                    "Dropout keeps an element with this probability, such as 0.5; it is before the last layer where the"
                            + " model has none (default: the model's: 0.5 in alexnet, vgg and squeezenet1_1, 0.999 in"
                            + " mobilenet_v1, 0.8 in mobilenet_v2, none in others).")
    private @Nullable Double keep;

    Style style() {
        return new Style(activation, normalization, keep);
    }

    /** As a run folder keeps it. */
    Map<String, Object> toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("activation", activation == null ? "own" : activation);
        fields.put("normalization", normalization == null ? "own" : normalization);
        fields.put("dropout_keep", keep == null ? "own" : keep);
        return fields;
    }
}
