package dev.tarn.cli;

import dev.tarn.nn.Style;
import dev.tarn.nn.init.Distribution;
import dev.tarn.nn.init.Initialization;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** How weights begin, where it differs from what the layers ask for. */
final class InitOptions {
    @Option(
            names = "--init",
            paramLabel = "NAME",
            description = "First values of weights: " + Initialization.NAMES
                    + " (default: he; lecun for selu, xavier for sigmoid and tanh). lsuv: orthogonal, then scaled so"
                    + " that each layer's outputs for the first batch have variance 1.")
    private @Nullable String name;

    @Option(
            names = "--init-distribution",
            paramLabel = "NAME",
            description = "normal or uniform, for he, xavier, xavier-average and lecun (default: normal).")
    private Distribution distribution = Distribution.NORMAL;

    @Option(
            names = "--bias-init",
            paramLabel = "V",
            description = "First value of all biases of convolutions and linear layers (default: 0).")
    private @Nullable Double bias;

    /** @param style whose activations suggest how to begin where nothing else was asked for */
    Initialization initialization(Style style) {
        if (name == null && distribution != Distribution.NORMAL) {
            throw new UsageException("--init-distribution is about --init; add --init he, for instance");
        }
        Initialization own = name == null ? style.initialization() : Initialization.parse(name, distribution);
        return bias == null ? own : own.withBias(bias);
    }

    /** As a run folder keeps it: what was asked for. */
    Map<String, Object> toJson() {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("init", name == null ? "own" : name);
        fields.put("init_distribution", distribution.toString());
        fields.put("bias_init", bias == null ? "own" : bias);
        return fields;
    }
}
