package dev.tarn.bench.kernels;

import dev.tarn.bench.Machine;
import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.io.Json;
import dev.tarn.kernel.KernelLevel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;
import org.openjdk.jmh.util.Statistics;

/**
 * Runs the kernel benchmarks and reports GFLOP/s by direct count, beside OpenBLAS alone on the same products and as a
 * share of OpenBLAS on matrices of 1024 x 1024, measured in the same run.
 */
public final class KernelBench {
    private static final String USAGE = """
        --shape NAME,...   names in convolutions.txt (all)
        --level NAME,...   kernel levels, such as avx512,blas (the highest of this machine)
        --threads N        threads that compute (all processors)
        --seconds S        time for each row, a third of it warm-up (1.5)
        --json             one JSON object on a line for each row
        """;

    private static final int WARM_UP = 3;
    private static final int ITERATIONS = 6;
    private static final double MILLIS = 1e3;

    private List<String> shapes = ConvShape.all().stream()
            .map(ConvShape::name)
            .filter(name -> !name.equals(ConvShape.YARDSTICK))
            .toList();
    private List<String> levels = List.of(KernelLevel.label());
    private int threads = Runtime.getRuntime().availableProcessors();
    private double seconds = 1.5;
    private boolean json;

    /** A measured row: GFLOP/s, the median iteration and the slowest and fastest. */
    private record Row(String shape, String direction, String what, double median, double least, double most) {}

    private KernelBench(Deque<String> arguments) {
        while (!arguments.isEmpty()) {
            String option = arguments.pop();
            if (option.equals("--json")) {
                json = true;
                continue;
            }
            String value = arguments.poll();
            if (value == null) {
                throw new IllegalArgumentException("%s needs a value; there are%n%s".formatted(option, USAGE));
            }
            switch (option) {
                case "--shape" -> shapes = List.of(value.split(",", -1));
                case "--level" -> levels = List.of(value.split(",", -1));
                case "--threads" -> threads = Integer.parseInt(value);
                case "--seconds" -> seconds = Double.parseDouble(value);
                default -> throw new IllegalArgumentException("there is no %s; there are%n%s".formatted(option, USAGE));
            }
        }
        shapes.forEach(ConvShape::find);
    }

    public static void main(String[] arguments) throws RunnerException {
        try {
            new KernelBench(new ArrayDeque<>(Arrays.asList(arguments))).run();
        } catch (IllegalArgumentException e) {
            System.err.println(e.getMessage());
            System.exit(2);
        }
    }

    private void run() throws RunnerException {
        Map<String, String> machine = new LinkedHashMap<>(Machine.describe());
        machine.put("openblas_core", OpenBlas.get().map(OpenBlas::coreName).orElseGet(OpenBlas::absence));
        machine.put("threads", Integer.toString(threads));
        machine.forEach((name, value) -> System.out.printf("%-14s %s%n", name, value));
        Row yardstick = rows(sgemm(List.of(ConvShape.YARDSTICK)).param("direction", Direction.FORWARD.name()))
                .getFirst();
        print(yardstick, yardstick);
        for (String shape : shapes) {
            List<Row> rows = new ArrayList<>(rows(ours(shape)));
            if (ConvShape.find(shape).groups() == 1) {
                rows.addAll(rows(sgemm(List.of(shape))));
            }
            rows.forEach(row -> print(row, yardstick));
        }
    }

    private ChainedOptionsBuilder ours(String shape) {
        return common(Conv2dBench.class)
                .threads(1)
                .param("shape", shape)
                .param(
                        "level",
                        levels.stream()
                                .map(level -> level.toUpperCase(Locale.ROOT))
                                .toArray(String[]::new))
                .param("threads", Integer.toString(threads));
    }

    private ChainedOptionsBuilder sgemm(List<String> names) {
        return common(SgemmBench.class).threads(threads).param("shape", names.toArray(String[]::new));
    }

    private ChainedOptionsBuilder common(Class<?> benchmark) {
        TimeValue iteration = TimeValue.milliseconds(Math.max(1, (long) (seconds * MILLIS / (WARM_UP + ITERATIONS))));
        return new OptionsBuilder()
                .include(benchmark.getName() + "\\.")
                .mode(Mode.AverageTime)
                .timeUnit(TimeUnit.NANOSECONDS)
                .warmupIterations(WARM_UP)
                .warmupTime(iteration)
                .measurementIterations(ITERATIONS)
                .measurementTime(iteration)
                .forks(1)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
    }

    private static List<Row> rows(ChainedOptionsBuilder options) throws RunnerException {
        Collection<RunResult> results = new Runner(options.build()).run();
        return results.stream().map(KernelBench::row).toList();
    }

    private static Row row(RunResult result) {
        var params = result.getParams();
        ConvShape shape = ConvShape.find(params.getParam("shape"));
        String level = params.getParam("level");
        // One run of ours is the whole batch by all threads; each thread of JMH multiplies for one image.
        double flops = shape.flopsPerImage() * (level == null ? params.getThreads() : shape.n());
        Statistics nanos = result.getPrimaryResult().getStatistics();
        return new Row(
                shape.name(),
                params.getParam("direction").toLowerCase(Locale.ROOT),
                level == null ? "sgemm alone" : "tarn " + level.toLowerCase(Locale.ROOT),
                flops / nanos.getPercentile(50),
                flops / nanos.getMax(),
                flops / nanos.getMin());
    }

    private void print(Row row, Row yardstick) {
        double share = row.median / yardstick.median;
        if (json) {
            Map<String, Object> object = new LinkedHashMap<>();
            object.put("event", "kernel");
            object.put("shape", row.shape);
            object.put("direction", row.direction);
            object.put("what", row.what);
            object.put("threads", threads);
            object.put("gflops", row.median);
            object.put("gflops_min", row.least);
            object.put("gflops_max", row.most);
            object.put("share_of_sgemm_1024", share);
            System.out.println(Json.line(object));
        } else {
            System.out.printf(
                    Locale.ROOT,
                    "%-20s %-15s %-12s %8.1f GFLOP/s (%.1f .. %.1f), %3.0f %% of sgemm 1024%n",
                    row.shape,
                    row.direction,
                    row.what,
                    row.median,
                    row.least,
                    row.most,
                    100 * share);
        }
    }
}
