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
            description = Style.ACTIVATIONS + " (default: the model's, relu, and relu6 of mobilenet_v2).")
    private @Nullable String activation;

    @Option(
            names = "--dropout-keep",
            paramLabel = "P",
            description =
                    "Dropout before the last layer keeps an element with this probability, such as 0.5 (default: the"
                            + " model's: none, and 0.8 of mobilenet_v2).")
    private @Nullable Double keep;

    Style style() {
        return new Style(activation, keep);
    }

    /** As a run folder keeps it. */
    Map<String, Object> toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("activation", activation == null ? "own" : activation);
        fields.put("dropout_keep", keep == null ? "own" : keep);
        return fields;
    }
}
