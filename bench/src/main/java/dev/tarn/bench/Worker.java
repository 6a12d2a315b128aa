package dev.tarn.bench;

import dev.tarn.bench.Contender.Work;
import dev.tarn.io.Json;
import java.io.IOException;
import java.io.PrintStream;
import java.util.LinkedHashMap;
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
        long idle = Machine.residentBytes();
        try (Work work = contender.open(job)) {
            print(
                    "outputs",
                    Map.of(
                            "file",
                            Outputs.write(job.folder(), work.outputs()).toString(),
                            "form",
                            work.form()));
            if (job.windows() > 0) {
                for (int i = 0; i < WARM_UP_WINDOWS; i++) {
                    window(work);
                }
                double[] rates = new double[job.windows()];
                for (int i = 0; i < rates.length; i++) {
                    rates[i] = window(work);
                }
                Map<String, Object> times = new LinkedHashMap<>();
                times.put("rates", java.util.Arrays.stream(rates).boxed().toList());
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

    /** Images per second over as many runs as fill a window. */
    private double window(Work work) {
        long start = System.nanoTime();
        long images = 0;
        double elapsed;
        do {
            work.run();
            images += job.batch();
            elapsed = (System.nanoTime() - start) / NANOS;
        } while (elapsed < job.seconds());
        return images / elapsed;
    }
}
