package dev.tarn.cli;

import dev.tarn.io.AtomicFile;
import dev.tarn.lab.Histograms;
import dev.tarn.lab.InitExperiment;
import dev.tarn.lab.InitExperiment.LayerStatistics;
import dev.tarn.lab.InitExperiment.Setting;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Activations and weight gradients of six layers under five initialisations, as a table and as histograms. */
@Command(
        name = "init-stats",
        description = "Shows what initialisation does to activations and gradients, layer by layer.")
final class InitStatsCommand extends Subcommand {
    @Option(
            names = "--width",
            paramLabel = "N",
            description =
                    "Units of each layer (default: ${DEFAULT-VALUE}); standard deviations are those of 4096, scaled.")
    private int width = InitExperiment.USUAL_WIDTH;

    @Option(names = "--seed", paramLabel = "N", description = "Default: ${DEFAULT-VALUE}.")
    private long seed = 1;

    @Option(names = "--out", paramLabel = "FILE", description = "The histograms (default: ${DEFAULT-VALUE}).")
    private Path out = Path.of("init-stats.svg");

    InitStatsCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        Map<Setting, List<LayerStatistics>> results = InitExperiment.run(width, seed);
        results.forEach(this::report);
        AtomicFile.write(out, Histograms.svg(results));
        text().printf("histograms: %s%n", out);
        Map<String, Object> done = new LinkedHashMap<>();
        done.put("event", "done");
        done.put("histograms", out.toString());
        emit(done);
    }

    private void report(Setting setting, List<LayerStatistics> layers) {
        text().printf("%-16s %9s %9s %9s %12s%n", setting.label(), "mean", "std", "saturated", "norm of dW");
        for (int i = 0; i < layers.size(); i++) {
            LayerStatistics layer = layers.get(i);
            text().printf(
                            Locale.ROOT,
                            "  layer %-8d %9.4f %9.4f %9.4f %12.4g%n",
                            i + 1,
                            layer.mean(),
                            layer.std(),
                            layer.saturated(),
                            layer.weightGradientNorm());
            Map<String, Object> event = new LinkedHashMap<>();
            event.put("event", "layer");
            event.put("setting", setting.label());
            event.put("layer", i + 1);
            event.put("mean", layer.mean());
            event.put("std", layer.std());
            event.put("rms", layer.rms());
            event.put("saturated", layer.saturated());
            event.put("weight_gradient_norm", layer.weightGradientNorm());
            event.put("histogram", layer.histogram());
            emit(event);
        }
    }
}
