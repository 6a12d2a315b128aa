package dev.tarn.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * A line of the table: what is measured, and what ratio to the best peer is wanted.
 *
 * @param kind the label of a {@link Task}, or memory, threads or start
 * @param must the ratio without which the row is missed; NaN for none
 * @param aim the ratio to hope for; NaN for none
 */
public record Row(String kind, String subject, int batch, double must, double aim) {
    /** How a ratio stands. */
    public enum Verdict {
        MISSED,
        MET,
        AIM_REACHED,
        NO_TARGET
    }

    private static final String FILE = "rows.txt";

    /** The whole table. */
    public static List<Row> all() {
        try (InputStream in = Objects.requireNonNull(Row.class.getResourceAsStream(FILE), FILE);
                var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return lines.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(Row::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static Row parse(String line) {
        String[] words = line.strip().split(" +", -1);
        if (words.length != 5) {
            throw new IllegalArgumentException(
                    "a kind, a subject, a batch and two ratios, not '%s'".formatted(line));
        }
        Row row = new Row(words[0], words[1], Integer.parseInt(words[2]), ratio(words[3]), ratio(words[4]));
        row.task();
        return row;
    }

    private static double ratio(String word) {
        return word.equals("-") ? Double.NaN : Double.parseDouble(word);
    }

    /** {@code inference/resnet50/32} */
    public String name() {
        return kind + "/" + subject + "/" + batch;
    }

    public Measure measure() {
        return switch (kind) {
            case "memory", "threads", "start" -> Measure.valueOf(kind.toUpperCase(Locale.ROOT));
            default -> Measure.RATE;
        };
    }

    /** What the processes do. */
    public Task task() {
        return switch (measure()) {
            case MEMORY, THREADS -> Task.TRAINING;
            case START -> Task.INFERENCE;
            case RATE -> Task.of(kind);
        };
    }

    /** Where a measured ratio leaves the row. */
    public Verdict verdict(double ratio) {
        if (Double.isNaN(must)) {
            return Verdict.NO_TARGET;
        }
        if (!(ratio == must || measure().isBetter(ratio, must))) {
            return Verdict.MISSED;
        }
        return ratio == aim || measure().isBetter(ratio, aim) ? Verdict.AIM_REACHED : Verdict.MET;
    }
}
