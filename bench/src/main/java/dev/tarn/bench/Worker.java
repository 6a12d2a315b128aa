package dev.tarn.bench;

import dev.tarn.bench.Contender.Work;
import dev.tarn.io.Json;
import dev.tarn.io.SafeTensors;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The main loop of a contender's process: reads a {@link Job}, then prints a line of JSON with the library's
 * environment, one when its outputs lie in a file, and one with the times, a rate for each window. Whoever started it
 * decides in between whether the times count.
 */
public final class Worker {
    private static final int WARM_UP_WINDOWS = 2;
    private static final double NANOS = 1e9;

    private final Contender contender;
    private final Job job;
    private final PrintStream out;

    private Worker(Contender contender, Job job, PrintStream out) {
        this.contender = contender;
        this.job = job;
        this.out = out;
    }

    public static void main(Contender contender, String... arguments) throws IOException {
        new Worker(contender, Job.parse(arguments[0]), System.out).run();
    }

    private void run() throws IOException {
        print("environment", contender.environment());
        if (job.task().isParity()) {
            Path file = Files.createTempFile(job.folder(), "parity", ".safetensors");
            SafeTensors.write(file, Map.of(), contender.parity(job));
            print("outputs", Map.of("file", file.toString()));
            return;
        }
        long idle = Machine.residentBytes();
        try (Work work = contender.open(job)) {
            print(
                    "outputs",
                    Map.of("file", Outputs.write(job.folder(), work.outputs()).toString(), "form", work.form()));
            if (job.windows() > 0) {
                Map<String, Object> times = new LinkedHashMap<>();
                times.put("rates", rates(work, job.batch(), job.windows(), job.seconds()));
                times.put("resident_bytes", Machine.peakResidentBytes() - idle);
                times.put("planned_bytes", work.plannedBytes());
                print("times", times);
            }
        }
    }

    private void print(String event, Map<String, ?> fields) {
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", event);
        object.putAll(fields);
        out.println(Json.line(object));
        out.flush();
    }

    /** Images per second of each window, after a warm-up. */
    static List<Double> rates(Work work, int batch, int windows, double seconds) {
        for (int i = 0; i < WARM_UP_WINDOWS; i++) {
            window(work, batch, seconds);
        }
        List<Double> rates = new ArrayList<>();
        for (int i = 0; i < windows; i++) {
            rates.add(window(work, batch, seconds));
        }
        return rates;
    }

    /** Images per second over as many runs as fill a window. */
    private static double window(Work work, int batch, double seconds) {
        long start = System.nanoTime();
        long images = 0;
        double elapsed;
        do {
            work.run();
            images += batch;
            elapsed = (System.nanoTime() - start) / NANOS;
        } while (elapsed < seconds);
        return images / elapsed;
    }
}
