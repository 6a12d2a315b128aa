package dev.tarn.bench;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Predicate;

/** The command line that all benchmarks share. */
public final class Options {
    /** A word that is not understood; the message is one sentence for the user. */
    public static final class UsageException extends RuntimeException {
        private static final long serialVersionUID = 1;

        UsageException(String message) {
            super(message);
        }
    }

    public static final String USAGE = """
        --threads N    threads that compute (all processors)
        --rounds N     processes of each contender, taking turns (3)
        --windows N    timed windows of each process, of which the median counts (3)
        --seconds S    length of a window; the warm-up takes twice that (0.3)
        --out FOLDER   where results are written (bench/target/results)
        --help         this text
        """;

    final List<String> words = new ArrayList<>();
    int threads = Runtime.getRuntime().availableProcessors();
    int rounds = 3;
    int windows = 3;
    double seconds = 0.3;
    Path out = Path.of(System.getProperty("tarn.results", "bench/target/results"));
    boolean help;

    /** Options and, in between, words that the benchmark understands. */
    public static Options parse(String... arguments) {
        Options options = new Options();
        Deque<String> rest = new ArrayDeque<>(Arrays.asList(arguments));
        while (!rest.isEmpty()) {
            options.take(rest.pop(), rest);
        }
        return options;
    }

    public int threads() {
        return threads;
    }

    public int windows() {
        return windows;
    }

    public double seconds() {
        return seconds;
    }

    public boolean help() {
        return help;
    }

    /** {@code 3 rounds of 5 windows of 0.3 s} */
    String timing() {
        return "%d rounds of %d windows of %s s".formatted(rounds, windows, seconds);
    }

    /** Whether anything was asked for by name. */
    public boolean named() {
        return !words.isEmpty();
    }

    private void take(String word, Deque<String> rest) {
        switch (word) {
            case "--threads" -> threads = count(word, rest);
            case "--rounds" -> rounds = count(word, rest);
            case "--windows" -> windows = count(word, rest);
            case "--seconds" -> seconds = seconds(word, rest);
            case "--out" -> out = Path.of(value(word, rest));
            case "--help", "-h" -> help = true;
            default -> {
                if (word.startsWith("-")) {
                    throw new UsageException("there is no option %s; --help lists them".formatted(word));
                }
                words.add(word);
            }
        }
    }

    private static String value(String option, Deque<String> rest) {
        String value = rest.poll();
        if (value == null) {
            throw new UsageException(option + " needs a value");
        }
        return value;
    }

    private static int count(String option, Deque<String> rest) {
        String value = value(option, rest);
        if (!value.matches("[1-9][0-9]{0,8}")) {
            throw new UsageException("%s takes a positive whole number, not '%s'".formatted(option, value));
        }
        return Integer.parseInt(value);
    }

    private static double seconds(String option, Deque<String> rest) {
        String value = value(option, rest);
        if (!value.matches("[0-9]{1,6}([.][0-9]{1,6})?") || Double.parseDouble(value) == 0) {
            throw new UsageException("%s takes a positive number, not '%s'".formatted(option, value));
        }
        return Double.parseDouble(value);
    }

    /**
     * The words that were given, each of which must be the beginning of one of those known.
     *
     * @return whether a known word was chosen; without words, all are
     */
    public Predicate<String> chosen(List<String> known) {
        for (String word : words) {
            if (known.stream().noneMatch(name -> name.startsWith(word))) {
                throw new UsageException(
                        "nothing begins with '%s'; there are %s".formatted(word, String.join(", ", known)));
            }
        }
        return name -> words.isEmpty() || words.stream().anyMatch(name::startsWith);
    }
}
