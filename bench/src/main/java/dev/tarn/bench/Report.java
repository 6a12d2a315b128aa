package dev.tarn.bench;

import dev.tarn.bench.Options.UsageException;
import dev.tarn.io.Json;
import dev.tarn.lab.Svg;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A folder of measured rows: {@code results.jsonl} with every value, {@code table.md} and {@code chart.svg}. It is
 * written anew after each row, and rows that lay in it before stay until they are measured again.
 */
final class Report {
    private static final String RESULTS = "results.jsonl";
    private static final double PERCENT = 100;

    private final Path folder;
    private final Map<String, Object> machine;
    private final Map<String, RowResult> results = new LinkedHashMap<>();
    /** Rows without a result, each with the reason. */
    private final Map<String, String> failures = new TreeMap<>();

    private Report(Path folder, Map<String, Object> machine) {
        this.folder = folder;
        this.machine = machine;
    }

    /**
     * Opens a folder, which need not exist.
     *
     * @param machine where rows are measured now
     * @throws UsageException if the folder's rows are of another processor or another number of threads
     */
    static Report open(Path folder, Map<String, Object> machine) throws IOException {
        Report report = new Report(folder, machine);
        Path file = folder.resolve(RESULTS);
        if (Files.exists(file)) {
            for (String line : Files.readAllLines(file)) {
                report.read(Json.read(line));
            }
        }
        return report;
    }

    private void read(Map<String, @Nullable Object> object) {
        if ("machine".equals(object.get("event"))) {
            for (String fact : List.of("cpu", "threads")) {
                if (!String.valueOf(machine.get(fact)).equals(String.valueOf(object.get(fact)))) {
                    throw new UsageException("%s holds results of %s %s; name another folder with --out"
                            .formatted(folder, fact, object.get(fact)));
                }
            }
            return;
        }
        String name = String.valueOf(object.get("row"));
        Optional<Row> row =
                Row.all().stream().filter(each -> each.name().equals(name)).findAny();
        if (row.isPresent() && object.get("failure") instanceof String reason) {
            failures.put(name, reason);
        } else if (row.isPresent()) {
            results.put(name, RowResult.of(row.get(), object));
        }
    }

    /** Adds or replaces a row and writes all. */
    void add(RowResult result) throws IOException {
        failures.remove(result.row().name());
        results.put(result.row().name(), result);
        write();
    }

    /** Notes that a row has no result and writes all. */
    void addFailure(Row row, String reason) throws IOException {
        results.remove(row.name());
        failures.put(row.name(), reason);
        write();
    }

    static String header() {
        return """
            | row | ours | best peer | ratio | must | aim | share of the limit | tarn / tarn | \
            outputs differ by | measured | |
            |---|---|---|---|---|---|---|---|---|---|---|\
            """;
    }

    /** A row of the table. */
    static String line(RowResult result) {
        Row row = result.row();
        return "| %s | %s %s | %s | %s | %s | %s | %s | %s | %.0e | %s, %d x | %s |"
                .formatted(
                        row.name(),
                        result.ours().spread(),
                        row.measure().unit(),
                        result.best()
                                .map(peer -> "%s %s%s"
                                        .formatted(
                                                peer.name(),
                                                peer.spread(),
                                                peer.form().isEmpty() ? "" : " [" + peer.form() + "]"))
                                .orElse("-"),
                        result.ratio().map(Spread::toString).orElse("-"),
                        target(row.must()),
                        target(row.aim()),
                        share(result, result.ours()).map(Report::percent).orElse("-"),
                        result.control(),
                        result.difference(),
                        result.measured(),
                        result.ours().values().size(),
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
    private static Optional<Double> share(RowResult result, RowResult.Entry entry) {
        return Double.isNaN(result.limit())
                ? Optional.empty()
                : Optional.of(PERCENT * entry.spread().median() / result.limit());
    }

    /** Results in the order of the table. */
    private List<RowResult> sorted() {
        return Row.all().stream()
                .map(row -> results.get(row.name()))
                .filter(Objects::nonNull)
                .toList();
    }

    /** The rows that do not reach what they must. */
    private List<RowResult> missed() {
        return sorted().stream()
                .filter(result -> result.verdict() == Row.Verdict.MISSED)
                .toList();
    }

    /** What was missed, and what has no result, for people. */
    List<String> summary() {
        List<String> lines = new ArrayList<>();
        List<RowResult> missed = missed();
        long wanted = results.values().stream()
                .filter(result -> result.verdict() != Row.Verdict.NO_TARGET)
                .count();
        lines.add("Missed, %d of %d rows: %s."
                .formatted(
                        missed.size(),
                        wanted,
                        missed.isEmpty()
                                ? "none"
                                : missed.stream().map(Report::miss).collect(Collectors.joining(", "))));
        failures.forEach((row, reason) -> lines.add("No result, %s: %s.".formatted(row, reason)));
        return lines;
    }

    /** {@code inference/vgg11/1 (0.53 of 1.00)} */
    private static String miss(RowResult result) {
        double ratio = result.ratio().map(Spread::median).orElse(Double.NaN);
        return "%s (%s of %s)"
                .formatted(
                        result.row().name(),
                        Spread.text(ratio),
                        Spread.text(result.row().must()));
    }

    private Svg chart() {
        List<BarChart.Group> groups = new ArrayList<>();
        for (RowResult result : sorted()) {
            List<BarChart.Bar> bars = new ArrayList<>();
            for (RowResult.Entry entry :
                    result.entries().subList(0, result.entries().size() - 1)) {
                share(result, entry).ifPresent(share -> bars.add(new BarChart.Bar(entry.name(), share)));
            }
            if (!bars.isEmpty()) {
                groups.add(new BarChart.Group(result.row().name(), bars));
            }
        }
        return BarChart.draw(
                "Share of what the machine can do: " + machine.get("limits"),
                groups,
                PERCENT,
                "limit of direct computation");
    }

    /** The text of {@code bench/RESULTS.md}. */
    private List<String> table() {
        List<String> lines = new ArrayList<>();
        lines.add("# Results");
        lines.add("");
        lines.add("`./tarn bench` writes this text. Other machines will see other ratios. [README.md](README.md) says"
                + " how");
        lines.add("rows are measured; in brackets stand the least and the most of all rounds.");
        lines.add("");
        machine.forEach((name, value) -> lines.add("- %s: %s".formatted(name, value)));
        lines.add("");
        summary().forEach(line -> lines.addAll(List.of(line, "")));
        section(
                lines,
                "Networks",
                row -> row.measure() == Measure.RATE && row.task().isNetwork());
        section(
                lines,
                "Layers",
                row -> row.measure() == Measure.RATE && !row.task().isNetwork());
        section(lines, "Memory, threads and start", row -> row.measure() != Measure.RATE);
        lines.add("![Shares of the limit](chart.svg)");
        return lines;
    }

    private void section(List<String> lines, String title, Predicate<Row> chosen) {
        List<RowResult> rows =
                sorted().stream().filter(result -> chosen.test(result.row())).toList();
        if (!rows.isEmpty()) {
            lines.addAll(List.of("## " + title, "", header()));
            rows.forEach(result -> lines.add(line(result)));
            lines.add("");
        }
    }

    /** Each file is replaced as a whole, so that whoever ends the run ends it with what was measured. */
    private void write() throws IOException {
        Files.createDirectories(folder);
        List<String> json = new ArrayList<>();
        Map<String, Object> first = new LinkedHashMap<>(Map.of("event", "machine"));
        first.putAll(machine);
        json.add(Json.line(first));
        sorted().forEach(result -> json.add(Json.line(result.toMap())));
        failures.forEach(
                (row, reason) -> json.add(Json.line(Map.of("event", "failure", "row", row, "failure", reason))));
        replace(RESULTS, String.join("\n", json) + "\n");
        replace("table.md", String.join("\n", table()) + "\n");
        replace("chart.svg", chart().toString());
    }

    private void replace(String name, String text) throws IOException {
        Path part = folder.resolve(name + ".part");
        Files.writeString(part, text);
        Files.move(part, folder.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
}
