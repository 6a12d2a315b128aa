package dev.tarn.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A measured row.
 *
 * @param entries ours, then the peers, then ours again
 * @param difference the largest between ours and any other outputs, as a share of the largest element
 * @param limit see {@link Limits#imagesPerSecond}
 * @param measured when it was
 */
record RowResult(Row row, int threads, List<Entry> entries, double difference, double limit, String measured) {
    /**
     * What a contender's processes found.
     *
     * @param form the setting that was chosen for it and what the library chose by itself; may be empty
     * @param values one for each round
     */
    record Entry(String name, String form, List<Double> values, Map<String, Object> environment, long plannedBytes) {
        static Entry of(String name, String setting, List<Run> runs, Measure measure) {
            List<String> words = new ArrayList<>();
            words.add(setting);
            runs.stream().map(Run::form).distinct().forEach(words::add);
            words.removeIf(String::isEmpty);
            Run first = runs.getFirst();
            return new Entry(
                    name,
                    String.join("; ", words),
                    runs.stream().map(measure::of).toList(),
                    new LinkedHashMap<>(first.environment()),
                    first.plannedBytes());
        }

        Spread spread() {
            return Spread.of(values);
        }

        Map<String, Object> toMap() {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("contender", name);
            object.put("form", form);
            object.put("values", values);
            object.put("environment", environment);
            object.put("planned_bytes", plannedBytes);
            return object;
        }

        @SuppressWarnings("unchecked") // as toMap has written it
        static Entry of(Map<String, @Nullable Object> object) {
            return new Entry(
                    (String) get(object, "contender"),
                    (String) get(object, "form"),
                    (List<Double>) get(object, "values"),
                    (Map<String, Object>) get(object, "environment"),
                    (Long) get(object, "planned_bytes"));
        }
    }

    Entry ours() {
        return entries.getFirst();
    }

    List<Entry> peers() {
        return entries.subList(1, entries.size() - 1);
    }

    /** The peer with the best median; empty if none is built. */
    Optional<Entry> best() {
        return peers().stream()
                .reduce((a, b) ->
                        row.measure().isBetter(b.spread().median(), a.spread().median()) ? b : a);
    }

    /** Ours to the best peer's, round by round. */
    Optional<Spread> ratio() {
        return best().map(peer -> Spread.ofRatios(ours().values(), peer.values()));
    }

    /** Ours to ours: what is noise. */
    Spread control() {
        return Spread.ofRatios(entries.getLast().values(), ours().values());
    }

    Row.Verdict verdict() {
        return ratio().map(ratio -> row.verdict(ratio.median())).orElse(Row.Verdict.NO_TARGET);
    }

    Map<String, Object> toMap() {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", "row");
        object.put("row", row.name());
        object.put("measured", measured);
        object.put("unit", row.measure().unit());
        object.put("threads", threads);
        object.put("contenders", entries.stream().map(Entry::toMap).toList());
        object.put("difference", difference);
        object.put("tolerance", row.task().tolerance());
        object.put("limit", limit);
        object.put("control", control().median());
        object.put("must", row.must());
        object.put("aim", row.aim());
        ratio().ifPresent(ratio -> {
            object.put("ratio", ratio.median());
            object.put("ratio_least", ratio.least());
            object.put("ratio_most", ratio.most());
        });
        object.put("verdict", verdict().name().toLowerCase(Locale.ROOT));
        return object;
    }

    /** What {@link #toMap} has written, beside the row as it stands in the table now. */
    @SuppressWarnings("unchecked") // as toMap has written it
    static RowResult of(Row row, Map<String, @Nullable Object> object) {
        return new RowResult(
                row,
                ((Long) get(object, "threads")).intValue(),
                ((List<Map<String, @Nullable Object>>) get(object, "contenders"))
                        .stream().map(Entry::of).toList(),
                (Double) get(object, "difference"),
                object.get("limit") instanceof Double limit ? limit : Double.NaN,
                (String) get(object, "measured"));
    }

    private static Object get(Map<String, @Nullable Object> object, String name) {
        return Objects.requireNonNull(object.get(name), name);
    }
}
