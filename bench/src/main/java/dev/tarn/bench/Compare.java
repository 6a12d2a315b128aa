package dev.tarn.bench;

import dev.tarn.io.Json;
import dev.tarn.session.Model;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Trains the same networks from the same weights on the same batch here and in libtorch. Each runs in processes of
 * its own that take turns, so that a change of the machine's mood meets both. Losses are compared before any time is
 * printed.
 */
public final class Compare {
    /** The folder of jars that {@code mvn -Ppeers} leaves. */
    private static final String PEERS = System.getProperty("tarn.peers", "");

    /** Largest relative difference of losses between equal computations that round differently. */
    private static final double TOLERANCE = 1e-3;

    /** A process that times one contender. */
    private record Entry(String name, String classPath, String mainClass, Map<String, String> variables) {}

    private final Options options;
    private final List<Entry> entries;

    private Compare(Options options) {
        this.options = options;
        this.entries = List.of(
                new Entry("tarn", System.getProperty("java.class.path"), TrainingBench.class.getName(), Map.of()),
                new Entry(
                        "libtorch",
                        PEERS + File.separator + "*",
                        "dev.tarn.bench.peers.LibtorchBench",
                        libtorchVariables(options.threads)));
    }

    /**
     * The peer at its best: threads pinned, and an allocator that keeps memory instead of returning it to the system
     * after each step, which would cost it a page fault for every 4 KiB of activations. One arena, since only the first
     * has no limit of 64 MiB, and Java's main thread would get another.
     */
    private static Map<String, String> libtorchVariables(int threads) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("OMP_NUM_THREADS", Integer.toString(threads));
        variables.put("OMP_PROC_BIND", "close");
        variables.put("OMP_PLACES", "cores");
        variables.put("MALLOC_ARENA_MAX", "1");
        variables.put("MALLOC_MMAP_THRESHOLD_", "4294967296");
        variables.put("MALLOC_TRIM_THRESHOLD_", "17179869184");
        variables.put("MALLOC_TOP_PAD_", "268435456");
        return variables;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try {
            Options options = Options.parse(arguments);
            if (!Files.isDirectory(Path.of(PEERS))) {
                throw new IllegalArgumentException(
                        "the peers are not built: run mvn -Ppeers -DskipTests -pl bench/peers -am package");
            }
            new Compare(options).run();
        } catch (IllegalArgumentException | IllegalStateException e) {
            System.err.println(e.getMessage());
            System.exit(2);
        }
    }

    private void run() throws IOException, InterruptedException {
        Path weights = Files.createTempDirectory("tarn-bench");
        try {
            if (options.format == Options.Format.TEXT) {
                Machine.describe().forEach((name, value) -> System.out.printf("%-14s %s%n", name, value));
            }
            for (String name : options.models) {
                Workload workload = new Workload(name, options.batch);
                try (Model model = TarnContender.model(workload, null)) {
                    model.save(workload.weights(weights));
                }
                report(measure(name, weights));
            }
        } finally {
            try (Stream<Path> files = Files.list(weights)) {
                for (Path file : files.toList()) {
                    Files.delete(file);
                }
            }
            Files.delete(weights);
        }
    }

    /** For each contender, in the order of {@link #entries}, what its processes found. */
    private List<List<Measurement>> measure(String model, Path weights) throws IOException, InterruptedException {
        List<List<Measurement>> results = new ArrayList<>();
        entries.forEach(entry -> results.add(new ArrayList<>()));
        for (int round = 0; round < options.rounds; round++) {
            List<String> lines = new ArrayList<>();
            for (int i = 0; i < entries.size(); i++) {
                results.get(i).add(start(entries.get(i), model, weights, lines));
            }
            requireEqualLosses(results.get(0).get(round), results.get(1).get(round));
            if (options.format == Options.Format.JSON) {
                lines.forEach(System.out::println);
            }
        }
        return results;
    }

    /** Runs a process to its end, adds what it printed to {@code printed}, and returns its measurement. */
    private Measurement start(Entry entry, String model, Path weights, List<String> printed)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        Collections.addAll(
                command,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow", // JavaCPP reads arrays by it
                "-Dtarn.openblas.coretype=auto",
                "-cp",
                entry.classPath,
                entry.mainClass,
                "--json");
        Collections.addAll(command, "--model", model, "--task", Task.TRAINING.label());
        Collections.addAll(command, "--batch", Integer.toString(options.batch));
        Collections.addAll(command, "--threads", Integer.toString(options.threads));
        Collections.addAll(command, "--windows", Integer.toString(options.windows));
        Collections.addAll(command, "--seconds", Double.toString(options.seconds));
        Collections.addAll(command, "--weights", weights.toString());
        ProcessBuilder builder = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
        builder.environment().keySet().removeAll(List.of("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"));
        builder.environment().putAll(entry.variables);
        Process process = builder.start();
        Measurement found = null;
        try (BufferedReader lines = process.inputReader()) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                printed.add(line);
                Measurement measurement = Measurement.parse(line);
                found = measurement == null ? found : measurement;
            }
        }
        int code = process.waitFor();
        if (code != 0 || found == null) {
            throw new IllegalStateException(
                    "%s on %s ended with exit code %d; its messages are above".formatted(entry.name, model, code));
        }
        return found;
    }

    private static double difference(double a, double b) {
        return Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b));
    }

    private static void requireEqualLosses(Measurement ours, Measurement theirs) {
        double first = difference(ours.firstLoss(), theirs.firstLoss());
        double tenth = difference(ours.lossAfterTen(), theirs.lossAfterTen());
        // Written so that NaN fails.
        if (!(first <= TOLERANCE && tenth <= TOLERANCE)) {
            throw new IllegalStateException(String.format(
                    Locale.ROOT,
                    "%s: the contenders do not compute the same, so there is nothing to compare: first loss %.7f and"
                            + " %.7f, after ten steps %.7f and %.7f",
                    ours.workload().model(),
                    ours.firstLoss(),
                    theirs.firstLoss(),
                    ours.lossAfterTen(),
                    theirs.lossAfterTen()));
        }
    }

    private void report(List<List<Measurement>> results) {
        Measurement ours = results.get(0).getFirst();
        Measurement theirs = results.get(1).getFirst();
        double first = difference(ours.firstLoss(), theirs.firstLoss());
        double tenth = difference(ours.lossAfterTen(), theirs.lossAfterTen());
        double ratio = rate(results.get(0)) / rate(results.get(1));
        if (options.format == Options.Format.JSON) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("event", "comparison");
            object.put("model", ours.workload().model());
            object.put("task", ours.task().label());
            object.put("batch", options.batch);
            object.put("threads", options.threads);
            object.put("difference_first_loss", first);
            object.put("difference_loss_after_ten", tenth);
            object.put("ratio", ratio);
            System.out.println(Json.line(object));
            return;
        }
        System.out.printf(
                Locale.ROOT,
                "%n%s, %s, batch %d, %d threads: losses differ by %.1e at first, %.1e after ten steps%n",
                ours.workload().model(),
                ours.task().label(),
                options.batch,
                options.threads,
                first,
                tenth);
        results.forEach(Compare::print);
        System.out.printf(Locale.ROOT, "  ratio     %10.2f%n", ratio);
    }

    private static double rate(List<Measurement> processes) {
        return Measurement.median(processes.stream().map(Measurement::median).toList());
    }

    private static void print(List<Measurement> processes) {
        double[] rates =
                processes.stream().mapToDouble(Measurement::median).sorted().toArray();
        System.out.printf(
                Locale.ROOT,
                "  %-9s %,10.0f images/s (%,.0f .. %,.0f in %d processes), peak %,d MiB%n",
                processes.getFirst().contender(),
                rate(processes),
                rates[0],
                rates[rates.length - 1],
                rates.length,
                processes.stream()
                                .mapToLong(Measurement::peakResidentBytes)
                                .max()
                                .orElse(0)
                        >> 20);
    }
}
