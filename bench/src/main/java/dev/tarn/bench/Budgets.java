package dev.tarn.bench;

import dev.tarn.bench.Options.UsageException;
import dev.tarn.io.Json;
import dev.tarn.models.ModelZoo;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Training within budgets of memory: what is planned, what is resident, what it costs, and that no bit changes. */
public final class Budgets {
    private static final int[] PERCENT = {100, 60, 40, 25};
    private static final double MIB = 0x1p20;
    private static final int MOST_HOURS = 2;

    private final Options options;
    private final List<String> json = new ArrayList<>();
    private final List<String> table = new ArrayList<>();

    private Budgets(Options options) {
        this.options = options;
    }

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try {
            Options options = Options.parse(arguments);
            if (options.help || options.words.isEmpty()) {
                System.out.print("""
                    bench/run budgets MODEL/BATCH[/BYTES]... [OPTION...]

                    Five training steps on a batch of random images, each in a process of its own with a heap of 64 MiB:
                    without a budget and at 60, 40 and 25 % of that plan, or within the bytes that are named, which
                    are those of weights, batch and session together. Only --threads and --out count; what is spilled
                    goes to the latter.

                    """);
                System.out.print(Options.USAGE);
                return;
            }
            new Budgets(options).run();
        } catch (UsageException e) {
            System.err.println("bench/run budgets: " + e.getMessage());
            System.exit(2);
        }
    }

    private void run() throws IOException, InterruptedException {
        Machine.describe().forEach((name, value) -> System.err.printf("%-14s %s%n", name, value));
        Files.createDirectories(options.out);
        print("| network | batch | budget MiB | planned MiB | resident MiB above the JVM's | of planned | step, s |"
                + " times | FLOPs more | MiB to a file and back | weights |");
        print("|---|---|---|---|---|---|---|---|---|---|---|");
        for (String word : options.words) {
            String[] parts = word.split("/", -1);
            if (parts.length < 2 || !parts[1].matches("[1-9][0-9]{0,4}")) {
                throw new UsageException(
                        "a network and its batch are named like resnet50/32, not '%s'".formatted(word));
            }
            ModelZoo.find(parts[0]);
            Map<String, @Nullable Object> whole = null;
            if (parts.length == 2) {
                for (int percent : PERCENT) {
                    long budget = whole == null ? Long.MAX_VALUE : number(whole, "planned_bytes") * percent / 100;
                    Map<String, @Nullable Object> measured = measure(parts[0], parts[1], budget);
                    whole = whole == null ? measured : whole;
                    report(parts[0], parts[1], budget, measured, whole);
                }
            } else {
                long budget = Long.parseLong(parts[2]);
                report(parts[0], parts[1], budget, measure(parts[0], parts[1], budget), null);
            }
        }
        System.err.println("written: " + options.out);
    }

    /** Runs {@link BudgetWorker} in a virtual machine whose heap is resident from the start. */
    private Map<String, @Nullable Object> measure(String model, String batch, long budget)
            throws IOException, InterruptedException {
        List<String> command = List.of(
                ProcessHandle.current().info().command().orElse("java"),
                "-Xms64m",
                "-Xmx64m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "--enable-native-access=ALL-UNNAMED",
                "-Dtarn.openblas.coretype=auto",
                "-cp",
                System.getProperty("java.class.path"),
                BudgetWorker.class.getName(),
                model,
                batch,
                Long.toString(budget),
                Integer.toString(options.threads),
                options.out.toString());
        Process process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        List<String> lines = process.inputReader().lines().toList();
        if (!process.waitFor(MOST_HOURS, TimeUnit.HOURS) || process.exitValue() != 0 || lines.isEmpty()) {
            throw new IOException("%s, batch %s, within %,d bytes failed".formatted(model, batch, budget));
        }
        json.add(lines.getLast());
        Files.write(options.out.resolve("budgets.jsonl"), json);
        return Json.read(lines.getLast());
    }

    private static long number(Map<String, @Nullable Object> of, String name) {
        return of.get(name) instanceof Number n ? n.longValue() : 0;
    }

    private static double real(Map<String, @Nullable Object> of, String name) {
        return of.get(name) instanceof Number n ? n.doubleValue() : Double.NaN;
    }

    private void report(
            String model,
            String batch,
            long budget,
            Map<String, @Nullable Object> measured,
            @Nullable Map<String, @Nullable Object> whole)
            throws IOException {
        double planned = number(measured, "planned_bytes");
        double resident = number(measured, "most_resident_bytes") - number(measured, "idle_resident_bytes");
        String weights = String.valueOf(measured.get("weights_sha256"));
        print("| %s | %s | %s | %.0f | %.0f | %.3f | %.2f | %s | %.1f %% | %.0f | %s |"
                .formatted(
                        model,
                        batch,
                        budget == Long.MAX_VALUE ? "-" : "%.0f".formatted(budget / MIB),
                        planned / MIB,
                        resident / MIB,
                        resident / planned,
                        real(measured, "step_seconds"),
                        whole == null
                                ? "-"
                                : "%.2f".formatted(real(measured, "step_seconds") / real(whole, "step_seconds")),
                        100 * real(measured, "repeated_share"),
                        number(measured, "spilled_bytes") / MIB,
                        whole == null || whole == measured
                                ? weights.substring(0, 8)
                                : weights.equals(whole.get("weights_sha256")) ? "the same" : "**differ**"));
    }

    private void print(String line) throws IOException {
        table.add(line);
        System.out.println(line);
        Files.write(options.out.resolve("budgets.md"), table);
    }
}
