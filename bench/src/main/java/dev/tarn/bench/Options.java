package dev.tarn.bench;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The command line of the end-to-end benchmarks, shared by all contenders. */
public final class Options {
    /** What the options are, for people. */
    public static final String USAGE = """
        --model NAME,...   networks (lenet5,vgg11,resnet18)
        --task NAME,...    training, training-loader, inference (all that the contender does)
        --batch N          images at once (64)
        --threads N        threads that compute (all processors)
        --windows N        timed windows, of which the median is reported (7)
        --seconds S        length of a window; the warm-up takes twice that (1)
        --rounds N         compare only: processes of each contender, taking turns (3)
        --weights FOLDER   initial weights, FOLDER/NAME.safetensors (fresh ones)
        --json             one JSON object on a line for each result
        """;

    /** How results are written. */
    public enum Format {
        TEXT,
        JSON
    }

    List<String> models = List.of("lenet5", "vgg11", "resnet18");
    Set<Task> tasks = EnumSet.allOf(Task.class);
    int batch = 64;
    int threads = Runtime.getRuntime().availableProcessors();
    int windows = 7;
    double seconds = 1;
    int rounds = 3;

    @Nullable
    Path weights;

    Format format = Format.TEXT;

    private Options() {}

    /** @throws IllegalArgumentException in one sentence, if an option is unknown or its value makes no sense */
    public static Options parse(String... arguments) {
        Options options = new Options();
        Deque<String> rest = new ArrayDeque<>(Arrays.asList(arguments));
        while (!rest.isEmpty()) {
            options.take(rest.pop(), rest);
        }
        options.models.forEach(model -> new Workload(model, options.batch));
        return options;
    }

    private void take(String option, Deque<String> rest) {
        switch (option) {
            case "--model" -> models = List.of(value(option, rest).split(",", -1));
            case "--task" -> tasks = tasks(value(option, rest));
            case "--batch" -> batch = positive(option, rest);
            case "--threads" -> threads = positive(option, rest);
            case "--windows" -> windows = positive(option, rest);
            case "--seconds" -> seconds = seconds(option, rest);
            case "--rounds" -> rounds = positive(option, rest);
            case "--weights" -> weights = Path.of(value(option, rest));
            case "--json" -> format = Format.JSON;
            default ->
                throw new IllegalArgumentException("there is no option %s; there are%n%s".formatted(option, USAGE));
        }
    }

    private static String value(String option, Deque<String> rest) {
        String value = rest.poll();
        if (value == null) {
            throw new IllegalArgumentException(option + " needs a value");
        }
        return value;
    }

    private static int positive(String option, Deque<String> rest) {
        String value = value(option, rest);
        if (!value.matches("[1-9][0-9]{0,8}")) {
            throw new IllegalArgumentException("%s takes a positive whole number, not '%s'".formatted(option, value));
        }
        return Integer.parseInt(value);
    }

    private static double seconds(String option, Deque<String> rest) {
        String value = value(option, rest);
        if (!value.matches("[0-9]{1,6}([.][0-9]{1,6})?") || Double.parseDouble(value) == 0) {
            throw new IllegalArgumentException("%s takes a positive number, not '%s'".formatted(option, value));
        }
        return Double.parseDouble(value);
    }

    private static Set<Task> tasks(String value) {
        Set<Task> tasks = EnumSet.noneOf(Task.class);
        for (String name : value.split(",", -1)) {
            tasks.add(Arrays.stream(Task.values())
                    .filter(task -> task.label().equals(name))
                    .findAny()
                    .orElseThrow(() -> new IllegalArgumentException("there is no task '%s'; there are %s"
                            .formatted(
                                    name,
                                    Arrays.stream(Task.values())
                                            .map(Task::label)
                                            .toList()))));
        }
        return tasks;
    }
}
