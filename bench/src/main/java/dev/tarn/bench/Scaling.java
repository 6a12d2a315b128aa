package dev.tarn.bench;

import dev.tarn.bench.LineChart.Curve;
import dev.tarn.bench.LineChart.Point;
import dev.tarn.bench.Options.UsageException;
import dev.tarn.io.Json;
import dev.tarn.kernel.KernelLevel;
import dev.tarn.session.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;

/** How the time of an image and the planned memory grow with the batch, the image and the threads. */
public final class Scaling {
    private static final String BATCH_SWEEP = "batch";
    private static final String BATCH_NETWORK = "resnet18";
    private static final String IMAGE_SWEEP = "image";
    /** The same layers whatever the image, where resnet18 begins in another way with larger ones. */
    private static final String IMAGE_NETWORK = "resnet20";

    private static final int BATCH = 8;
    private static final int[] BATCHES = {1, 2, 4, 8, 16, 32, 64, 128, 256};
    private static final long[] SIDES = {32, 64, 112, 224, 448};
    private static final double MIB = 0x1p20;

    /** Of one image, and of the plan. */
    private record Cost(double millis, double mebibytes) {}

    private final Options options;
    private final List<String> json = new ArrayList<>();
    private final List<String> table = new ArrayList<>();

    private Scaling(Options options) {
        this.options = options;
    }

    public static void main(String[] arguments) throws IOException {
        try {
            Options options = Options.parse(arguments);
            if (options.help) {
                System.out.print("""
                    bench/run scaling [batch] [image] [OPTION...]

                    Training steps and inference, with one thread and with all: of resnet18 over batches of 1 to 256
                    images of 32 x 32, and of resnet20 over 8 images of 32 x 32 to 448 x 448. Only --threads,
                    --windows, --seconds and --out count.

                    """);
                System.out.print(Options.USAGE);
                return;
            }
            new Scaling(options).run();
        } catch (UsageException e) {
            System.err.println("bench/run scaling: " + e.getMessage());
            System.exit(2);
        }
    }

    private void run() throws IOException {
        Predicate<String> chosen = options.chosen(List.of(BATCH_SWEEP, IMAGE_SWEEP));
        Machine.describe().forEach((name, value) -> System.err.printf("%-14s %s%n", name, value));
        System.err.printf("%-14s %s%n", "kernel_level", KernelLevel.label());
        Files.createDirectories(options.out);
        print("| network | task | side | batch | threads | ms for an image | planned MiB |");
        print("|---|---|---|---|---|---|---|");
        if (chosen.test(BATCH_SWEEP)) {
            sweep(
                    BATCH_SWEEP,
                    Workload::batch,
                    Arrays.stream(BATCHES)
                            .mapToObj(batch -> new Workload(BATCH_NETWORK, batch))
                            .toList());
        }
        if (chosen.test(IMAGE_SWEEP)) {
            sweep(
                    IMAGE_SWEEP,
                    Workload::side,
                    Arrays.stream(SIDES)
                            .mapToObj(side -> new Workload(IMAGE_NETWORK, BATCH, side))
                            .toList());
        }
        System.err.println("written: " + options.out);
    }

    private void print(String line) {
        table.add(line);
        System.out.println(line);
    }

    /** Draws the time and the memory of workloads over one of their sizes. */
    private void sweep(String name, ToDoubleFunction<Workload> size, List<Workload> workloads) throws IOException {
        List<Curve> times = new ArrayList<>();
        List<Curve> memory = new ArrayList<>();
        List<Integer> threads = options.threads == 1 ? List.of(1) : List.of(1, options.threads);
        for (Task task : List.of(Task.TRAINING, Task.INFERENCE)) {
            List<Point> planned = new ArrayList<>();
            for (int count : threads) {
                List<Point> points = new ArrayList<>();
                planned.clear();
                for (Workload workload : workloads) {
                    Cost cost = measure(task, workload, count);
                    points.add(new Point(size.applyAsDouble(workload), cost.millis()));
                    planned.add(new Point(size.applyAsDouble(workload), cost.mebibytes()));
                }
                times.add(new Curve("%s, %d thread(s)".formatted(task.label(), count), points));
            }
            memory.add(new Curve(task.label(), List.copyOf(planned)));
        }
        String axis = name.equals(BATCH_SWEEP) ? "images in a batch" : "rows and columns of an image";
        String network = workloads.getFirst().model();
        draw(name + "-time", network + ": ms for an image", axis, times);
        draw(name + "-memory", network + ": planned MiB", axis, memory);
    }

    private void draw(String name, String title, String axis, List<Curve> curves) throws IOException {
        Files.writeString(
                options.out.resolve("scaling-" + name + ".svg"),
                LineChart.draw(title, axis, curves).toString());
    }

    private Cost measure(Task task, Workload workload, int threads) throws IOException {
        try (Contender.Work work = TarnContender.open(task, workload, Model.create(workload.layer(), 1), threads)) {
            double rate = Spread.of(Worker.rates(work, workload.batch(), options.windows, options.seconds))
                    .median();
            double millis = 1e3 / rate;
            double mebibytes = work.plannedBytes() / MIB;
            print("| %s | %s | %d | %d | %d | %s | %s |"
                    .formatted(
                            workload.model(),
                            task.label(),
                            workload.side(),
                            workload.batch(),
                            threads,
                            Spread.text(millis),
                            Spread.text(mebibytes)));
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("event", "scaling");
            object.put("network", workload.model());
            object.put("task", task.label());
            object.put("side", workload.side());
            object.put("batch", workload.batch());
            object.put("threads", threads);
            object.put("millis", millis);
            object.put("mebibytes", mebibytes);
            json.add(Json.line(object));
            Files.write(options.out.resolve("scaling.md"), table); // at once, since the largest take minutes
            Files.write(options.out.resolve("scaling.jsonl"), json);
            return new Cost(millis, mebibytes);
        }
    }
}
