package dev.tarn.bench;

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
 * Trains the same networks from the same weights on the same batch here and in libtorch. Each runs in processes of its own that
 * take turns, so that a change of the machine's mood meets both. Losses are compared before any time is printed.
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
     * The peer at its best: threads pinned, and an allocator that keeps memory instead of returning it to the system after each
     * step, which would cost it a page fault for every 4 KiB of activations.
     */
    private static Map<String, String> libtorchVariables(int threads) {
        Map<String, String> variables = new LinkedHashMap<>();
        variables.put("OMP_NUM_THREADS", Integer.toString(threads));
        variables.put("OMP_PROC_BIND", "close");
        variables.put("OMP_PLACES", "cores");
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
            Machine.describe().forEach((name, value) -> System.out.printf("%-14s %s%n", name, value));
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
            for (int i = 0; i < entries.size(); i++) {
                results.get(i).add(start(entries.get(i), model, weights));
            }
            requireEqualLosses(results.get(0).get(round), results.get(1).get(round));
        }
        return results;
    }

    private Measurement start(Entry entry, String model, Path weights) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        Collections.addAll(
                command,
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--enable-native-access=ALL-UNNAMED",
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
                if (options.format == Options.Format.JSON) {
                    System.out.println(line);
                }
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
        System.out.printf(
                Locale.ROOT,
                "%n%s, batch %d, %d threads: relative difference of the first loss %.1e, after ten steps %.1e%n",
                ours.workload().model(),
                options.batch,
                options.threads,
                difference(ours.firstLoss(), theirs.firstLoss()),
                difference(ours.lossAfterTen(), theirs.lossAfterTen()));
        double[] medians = new double[entries.size()];
        for (int i = 0; i < medians.length; i++) {
            List<Double> rates =
                    results.get(i).stream().map(Measurement::median).sorted().toList();
            medians[i] = Measurement.median(rates);
            long peak = results.get(i).stream()
                    .mapToLong(Measurement::peakResidentBytes)
                    .max()
                    .orElse(0);
            System.out.printf(
                    Locale.ROOT,
                    "  %-9s %,10.0f images/s (%,.0f .. %,.0f in %d processes), peak %,d MiB%n",
                    entries.get(i).name,
                    medians[i],
                    rates.getFirst(),
                    rates.getLast(),
                    rates.size(),
                    peak >> 20);
        }
        System.out.printf(Locale.ROOT, "  ratio     %10.2f%n", medians[0] / medians[1]);
    }
}
