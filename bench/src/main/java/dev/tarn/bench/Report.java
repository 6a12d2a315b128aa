package dev.tarn.bench;

import dev.tarn.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Measured rows as a Markdown table, lines of JSON and a chart. */
final class Report {
    private static final double PERCENT = 100;

    private final List<Map<String, Object>> facts;
    private final Limits limits;
    private final List<RowResult> results = new ArrayList<>();

    /** @param facts what the results depend on, an object for each line of JSON */
    Report(List<Map<String, Object>> facts, Limits limits) {
        this.facts = facts;
        this.limits = limits;
    }

    void add(RowResult result) {
        results.add(result);
    }

    static String header() {
        return """
                | row | ours | best peer | ratio | must | aim | share of the limit | tarn / tarn | outputs differ by | |
                |---|---|---|---|---|---|---|---|---|---|""";
    }

    /** A row of the table. */
    String line(RowResult result) {
        Row row = result.row();
        Measure measure = row.measure();
        Optional<RowResult.Entry> best = result.best();
        return "| %s | %s %s | %s | %s | %s | %s | %s | %s | %.0e | %s |"
                .formatted(
                        row.name(),
                        result.ours().spread(measure),
                        measure.unit(),
                        best.map(peer -> "%s %s%s"
                                        .formatted(
                                                peer.name(),
                                                peer.spread(measure),
                                                peer.form().isEmpty() ? "" : " [" + peer.form() + "]"))
                                .orElse("-"),
                        result.ratio().map(Spread::toString).orElse("-"),
                        target(row.must()),
                        target(row.aim()),
                        share(result, result.ours()).map(Report::percent).orElse("-"),
                        result.control(),
                        result.difference(),
                        switch (result.verdict()) {
                            case MISSED -> "**missed**";
                            case MET -> "met";
                            case AIM_REACHED -> "aim reached";
                            case NO_TARGET -> "";
                        });
    }

    private static String target(double ratio) {
        return Double.isNaN(ratio) ? "-" : Spread.text(ratio);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", share);
    }

    /** What a contender reaches of the machine's limit, in percent. */
    private Optional<Double> share(RowResult result, RowResult.Entry entry) {
        double limit = limits.imagesPerSecond(result.row());
        return Double.isNaN(limit)
                ? Optional.empty()
                : Optional.of(PERCENT * entry.spread(result.row().measure()).median() / limit);
    }

    /** Names of the rows that do not reach what they must. */
    List<String> missed() {
        return results.stream()
                .filter(result -> result.verdict() == Row.Verdict.MISSED)
                .map(result -> result.row().name())
                .toList();
    }

    Svg chart() {
        List<BarChart.Group> groups = new ArrayList<>();
        for (RowResult result : results) {
            List<BarChart.Bar> bars = new ArrayList<>();
            for (RowResult.Entry entry : result.entries().subList(0, result.entries().size() - 1)) {
                share(result, entry).ifPresent(share -> bars.add(new BarChart.Bar(entry.name(), share)));
            }
            if (!bars.isEmpty()) {
                groups.add(new BarChart.Group(result.row().name(), bars));
            }
        }
        return BarChart.draw("Share of what the machine can do: " + limits, groups, PERCENT, "limit of direct computation");
    }

    /** Writes {@code results.jsonl}, {@code table.md} and {@code chart.svg} into a folder. */
    void write(Path folder) throws IOException {
        Files.createDirectories(folder);
        List<String> json = new ArrayList<>(facts.stream().map(Json::line).toList());
        List<String> table = new ArrayList<>();
        facts.forEach(fact -> table.add("    " + Json.line(fact)));
        table.add("");
        header().lines().forEach(table::add);
        for (RowResult result : results) {
            Map<String, Object> object = result.toMap();
            object.put("limit", limits.imagesPerSecond(result.row()));
            json.add(Json.line(object));
            table.add(line(result));
        }
        Files.write(folder.resolve("results.jsonl"), json);
        Files.write(folder.resolve("table.md"), table);
        Files.writeString(folder.resolve("chart.svg"), chart().toString());
    }
}
