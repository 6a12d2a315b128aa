package dev.tarn.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A measured row.
 *
 * @param entries ours, then the peers, then ours again
 * @param difference the largest between ours and any other outputs, as a share of the largest element
 */
record RowResult(Row row, int threads, List<Entry> entries, double difference) {
    /**
     * A contender's processes, one for each round.
     *
     * @param setting what was chosen for it; may be empty
     */
    record Entry(String name, String setting, List<Run> runs) {
        List<Double> values(Measure measure) {
            return runs.stream().map(measure::of).toList();
        }

        Spread spread(Measure measure) {
            return Spread.of(values(measure));
        }

        /** The setting and what the library chose by itself. */
        String form() {
            List<String> words = new ArrayList<>();
            words.add(setting);
            runs.stream().map(Run::form).distinct().forEach(words::add);
            words.removeIf(String::isEmpty);
            return String.join("; ", words);
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
        Measure measure = row.measure();
        return peers().stream().reduce((a, b) -> measure.isBetter(
                        b.spread(measure).median(), a.spread(measure).median())
                ? b
                : a);
    }

    /** Ours to the best peer's, round by round. */
    Optional<Spread> ratio() {
        return best().map(peer -> Spread.ofRatios(ours().values(row.measure()), peer.values(row.measure())));
    }

    /** Ours to ours: what is noise. */
    Spread control() {
        return Spread.ofRatios(entries.getLast().values(row.measure()), ours().values(row.measure()));
    }

    Row.Verdict verdict() {
        return ratio().map(ratio -> row.verdict(ratio.median())).orElse(Row.Verdict.NO_TARGET);
    }

    Map<String, Object> toMap() {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", "row");
        object.put("row", row.name());
        object.put("unit", row.measure().unit());
        object.put("threads", threads);
        List<Object> contenders = new ArrayList<>();
        for (Entry entry : entries) {
            Map<String, Object> contender = new LinkedHashMap<>();
            contender.put("contender", entry.name());
            contender.put("form", entry.form());
            contender.put("values", entry.values(row.measure()));
            contender.put("environment", entry.runs().getFirst().environment());
            contender.put("planned_bytes", entry.runs().getFirst().plannedBytes());
            contenders.add(contender);
        }
        object.put("contenders", contenders);
        object.put("difference", difference);
        object.put("tolerance", row.task().tolerance());
        object.put("control", control().median());
        object.put("must", row.must());
        object.put("aim", row.aim());
        ratio().ifPresent(ratio -> {
            object.put("ratio", ratio.median());
            object.put("ratio_least", ratio.least());
            object.put("ratio_most", ratio.most());
        });
        object.put("verdict", verdict().name().toLowerCase(java.util.Locale.ROOT));
        return object;
    }
}
