package dev.tarn.bench;

import dev.tarn.io.Json;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What one process found out about one task.
 *
 * @param firstLoss of the first batch, with the initial weights
 * @param lossAfterTen of the same batch after ten steps; for other batches or without training, of whatever came
 *     eleventh
 * @param rates images per second of each window
 * @param peakResidentBytes the process's largest memory so far, as the system counts it
 */
public record Measurement(
        String contender,
        Workload workload,
        Task task,
        int threads,
        double firstLoss,
        double lossAfterTen,
        List<Double> rates,
        long peakResidentBytes) {
    private static final String EVENT = "measurement";

    /** Images per second: the windows' median. */
    public double median() {
        return median(rates);
    }

    /** The middle value, or the mean of the two in the middle. */
    static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
    }

    String toText() {
        double[] sorted =
                rates.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        return String.format(
                Locale.ROOT,
                "%-9s %-9s %-15s batch %d, %d threads: %,.0f images/s (%,.0f .. %,.0f in %d windows), loss %.6f ->"
                        + " %.6f, peak %,d MiB",
                contender,
                workload.model(),
                task.label(),
                workload.batch(),
                threads,
                median(),
                sorted[0],
                sorted[sorted.length - 1],
                sorted.length,
                firstLoss,
                lossAfterTen,
                peakResidentBytes >> 20);
    }

    String toJson() {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", EVENT);
        object.put("contender", contender);
        object.put("model", workload.model());
        object.put("task", task.label());
        object.put("batch", workload.batch());
        object.put("threads", threads);
        object.put("images_per_second", median());
        object.put("windows", rates);
        object.put("first_loss", firstLoss);
        object.put("loss_after_ten", lossAfterTen);
        object.put("peak_rss_bytes", peakResidentBytes);
        return Json.line(object);
    }

    /** Reads a line of {@link #toJson}; null for other lines, such as the machine's. */
    static @Nullable Measurement parse(String line) {
        Map<String, @Nullable Object> object = Json.read(line);
        if (!EVENT.equals(object.get("event"))) {
            return null;
        }
        List<?> windows = (List<?>) Objects.requireNonNull(object.get("windows"));
        String task = text(object, "task");
        return new Measurement(
                text(object, "contender"),
                new Workload(text(object, "model"), number(object, "batch").intValue()),
                Arrays.stream(Task.values())
                        .filter(t -> t.label().equals(task))
                        .findAny()
                        .orElseThrow(),
                number(object, "threads").intValue(),
                number(object, "first_loss").doubleValue(),
                number(object, "loss_after_ten").doubleValue(),
                windows.stream().map(rate -> ((Number) rate).doubleValue()).toList(),
                number(object, "peak_rss_bytes").longValue());
    }

    private static String text(Map<String, @Nullable Object> object, String name) {
        return (String) Objects.requireNonNull(object.get(name), name);
    }

    private static Number number(Map<String, @Nullable Object> object, String name) {
        return (Number) Objects.requireNonNull(object.get(name), name);
    }
}
