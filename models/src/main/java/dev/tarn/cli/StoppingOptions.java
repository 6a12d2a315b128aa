package dev.tarn.cli;

import dev.tarn.session.Stopping;
import dev.tarn.session.Stopping.Metric;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What ends a run before its last epoch. */
final class StoppingOptions {
    private static final double NANOS_PER_MINUTE = 60e9;

    @Option(
            names = "--patience",
            paramLabel = "N",
            description =
                    "Stop after more than N epochs in a row without progress; 0 stops at the first (default: never).")
    private @Nullable Long patience;

    @Option(
            names = "--min-delta",
            paramLabel = "D",
            description = "Of --patience: what is no more than D better is no progress (default: 0).")
    private @Nullable Double minDelta;

    @Option(
            names = "--stop-metric",
            paramLabel = "NAME",
            description = "Of --patience: val_accuracy (default) or val_loss.")
    private @Nullable Metric metric;

    @Option(names = "--max-steps", paramLabel = "N", description = "Stop after N steps, exactly (default: never).")
    private @Nullable Long maxSteps;

    @Option(
            names = "--max-minutes",
            paramLabel = "M",
            description =
                    "Stop after M minutes, at the next step; what it took before --resume counts (default: never).")
    private @Nullable Double maxMinutes;

    Stopping stopping() {
        if (patience == null && (minDelta != null || metric != null)) {
            throw new UsageException("--min-delta and --stop-metric are about --patience; add --patience 5");
        }
        Stopping stopping = Stopping.NEVER;
        if (patience != null) {
            stopping = Stopping.patience(
                    patience, minDelta == null ? 0 : minDelta, metric == null ? Metric.VAL_ACCURACY : metric);
        }
        if (maxSteps != null) {
            stopping = stopping.or(Stopping.afterSteps(maxSteps));
        }
        return maxMinutes == null
                ? stopping
                : stopping.or(Stopping.after(Duration.ofNanos(Math.round(maxMinutes * NANOS_PER_MINUTE))));
    }

    /** As a run folder keeps it: what was asked for. */
    Map<String, Object> toJson() {
        Map<String, Object> stopping = new LinkedHashMap<>();
        putIfSaid(stopping, "patience", patience);
        putIfSaid(stopping, "min_delta", minDelta);
        putIfSaid(stopping, "metric", metric == null ? null : metric.name().toLowerCase(Locale.ROOT));
        putIfSaid(stopping, "max_steps", maxSteps);
        putIfSaid(stopping, "max_minutes", maxMinutes);
        return Map.of("stopping", stopping);
    }

    private static void putIfSaid(Map<String, Object> fields, String name, @Nullable Object value) {
        if (value != null) {
            fields.put(name, value);
        }
    }
}
