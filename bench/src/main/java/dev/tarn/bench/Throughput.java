package dev.tarn.bench;

import dev.tarn.bench.Contender.Work;
import dev.tarn.io.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Times a contender: eleven batches whose losses are reported, a warm-up, then windows of equal length. */
public final class Throughput {
    private static final int STEPS = 10;
    private static final int WARM_UP_WINDOWS = 2;
    private static final double NANOS = 1e9;

    private final Contender contender;
    private final Options options;
    private final PrintStream out;

    private Throughput(Contender contender, Options options, PrintStream out) {
        this.contender = contender;
        this.options = options;
        this.out = out;
    }

    /** The main method of a contender's process: exit code 2 for bad options, in one sentence. */
    public static void main(Contender contender, String... arguments) throws IOException {
        Options options;
        try {
            options = Options.parse(arguments);
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        new Throughput(contender, options, System.out).run();
    }

    private void run() throws IOException {
        printMachine();
        for (String model : options.models) {
            for (Task task : options.tasks) {
                if (contender.tasks().contains(task)) {
                    Measurement measurement = measure(new Workload(model, options.batch), task);
                    out.println(options.format == Options.Format.JSON ? measurement.toJson() : measurement.toText());
                }
            }
        }
    }

    private void printMachine() {
        Map<String, String> facts = new LinkedHashMap<>(Machine.describe());
        facts.putAll(contender.environment());
        if (options.format == Options.Format.JSON) {
            Map<String, String> event = new LinkedHashMap<>();
            event.put("event", "machine");
            event.put("contender", contender.name());
            event.putAll(facts);
            out.println(Json.line(event));
        } else {
            facts.forEach((name, value) -> out.printf("%-14s %s%n", name, value));
        }
    }

    private Measurement measure(Workload workload, Task task) throws IOException {
        try (Work work = contender.open(workload, task, options.threads, options.weights)) {
            work.run();
            double firstLoss = work.loss();
            for (int i = 0; i < STEPS; i++) {
                work.run();
            }
            double lossAfterTen = work.loss();
            for (int i = 0; i < WARM_UP_WINDOWS; i++) {
                window(work, workload.batch());
            }
            List<Double> rates = new ArrayList<>();
            for (int i = 0; i < options.windows; i++) {
                rates.add(window(work, workload.batch()));
            }
            return new Measurement(
                    contender.name(),
                    workload,
                    task,
                    options.threads,
                    firstLoss,
                    lossAfterTen,
                    rates,
                    Machine.peakResidentBytes());
        }
    }

    /** Images per second over as many batches as fill a window. */
    private double window(Work work, int batch) {
        long start = System.nanoTime();
        long images = 0;
        double elapsed;
        do {
            work.run();
            images += batch;
            elapsed = (System.nanoTime() - start) / NANOS;
        } while (elapsed < options.seconds);
        return images / elapsed;
    }
}
