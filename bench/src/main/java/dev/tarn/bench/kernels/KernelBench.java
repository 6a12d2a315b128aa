package dev.tarn.bench.kernels;

import dev.tarn.bench.Direction;
import dev.tarn.bench.LayerShape;
import dev.tarn.bench.Limits;
import dev.tarn.bench.Machine;
import dev.tarn.bench.Options;
import dev.tarn.io.Json;
import dev.tarn.kernel.KernelLevel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
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
 * Kernels one by one under JMH, in GFLOP/s by direct count and GB/s by least traffic, as a share of what the machine can
 * do, beside the same work in plain Java and in OpenBLAS alone.
 */
public final class KernelBench {
    private static final List<String> LISTS = List.of(LayerShape.LAYERS, "resnet50", "vgg16", "mobilenet_v2");
    private static final String PASSES = "passes";
    private static final String DOWNCALL = "downcall";
    private static final int WARM_UP = 2;
    private static final double MILLIS = 1e3;
    /** Of each iteration: loops over segments take half a second a call until they are compiled, after a few. */
    private static final TimeValue JAVA_WARM_UP = TimeValue.seconds(2);

    private final Options options;
    private final Limits limits;

    private KernelBench(Options options, Limits limits) {
        this.options = options;
        this.limits = limits;
    }

    public static void main(String[] arguments) throws RunnerException {
        try {
            Options options = Options.parse(arguments);
            if (options.help()) {
                System.out.print("""
                    bench/run kernels [NAME...] [OPTION...]

                    A NAME is the beginning of LIST/LAYER, of passes or of downcall; the lists are layers, resnet50,
                    vgg16 and mobilenet_v2. Each layer is run in every direction, at every kernel level, with one thread
                    and with all. Without a name: layers, passes and downcall. --rounds and --out do not count, and
                    plain Java warms up for four seconds, until its loops are compiled.

                    """);
                System.out.print(Options.USAGE);
                return;
            }
            new KernelBench(options, Limits.measure(options.threads())).run();
        } catch (Options.UsageException e) {
            System.err.println("bench/run kernels: " + e.getMessage());
            System.exit(2);
        }
    }

    private void run() throws RunnerException {
        List<String> names = new ArrayList<>(List.of(PASSES, DOWNCALL));
        LISTS.forEach(list -> LayerShape.all(list).forEach(shape -> names.add(list + "/" + shape.name())));
        Predicate<String> chosen = options.chosen(names);
        Machine.describe().forEach((name, value) -> System.err.printf("%-14s %s%n", name, value));
        System.err.printf("%-14s %s (%d threads)%n", "limits", limits, options.threads());
        for (String list : LISTS) {
            for (LayerShape shape : LayerShape.all(list)) {
                // Other networks' lists are long: they are run only when they are named.
                if (chosen.test(list + "/" + shape.name()) && (options.named() || list.equals(LayerShape.LAYERS))) {
                    layer(list, shape);
                }
            }
        }
        if (chosen.test(PASSES)) {
            ChainedOptionsBuilder passes = common(PassBench.class).param("pass", names(PassBench.Pass.values()));
            for (RunResult result : run(ours(passes))) {
                String pass = result.getParams().getParam("pass");
                double bytes = (double) PassBench.Pass.valueOf(pass).arrays * PassBench.COUNT * Float.BYTES;
                print(pass.toLowerCase(Locale.ROOT), "", result, 0, bytes);
            }
        }
        if (chosen.test(DOWNCALL)) {
            run(common(DowncallBench.class)).forEach(result -> print(DOWNCALL, "", result, 0, 0));
        }
    }

    private void layer(String list, LayerShape shape) throws RunnerException {
        String name = list + "/" + shape.name();
        List<Direction> directions =
                Arrays.stream(Direction.values()).filter(shape::has).toList();
        String[] directionNames = names(directions.toArray(Direction[]::new));
        List<RunResult> results =
                new ArrayList<>(run(ours(of(LayerBench.class, list, shape).param("direction", directionNames))));
        boolean isProduct = shape.op() == LayerShape.Op.CONV && shape.groups() == 1;
        if (isProduct) {
            for (int threads : threadCounts()) {
                results.addAll(run(of(SgemmBench.class, list, shape)
                        .param("direction", directionNames)
                        .threads(threads)));
                results.addAll(
                        run(of(JavaBench.class, list, shape).threads(threads).warmupTime(JAVA_WARM_UP)));
            }
        }
        for (RunResult result : results) {
            String direction = result.getParams().getParam("direction");
            Direction done = direction == null ? Direction.FORWARD : Direction.valueOf(direction);
            // One run of ours is the whole batch by all threads; each thread of JMH works on one image.
            boolean isOurs = result.getParams().getBenchmark().contains(LayerBench.class.getSimpleName());
            double images = isOurs ? shape.n() : result.getParams().getThreads();
            print(
                    name,
                    done.name().toLowerCase(Locale.ROOT),
                    result,
                    shape.flopsPerImage() * images,
                    shape.bytes(done) / shape.n() * images);
        }
    }

    private int[] threadCounts() {
        return options.threads() == 1 ? new int[] {1} : new int[] {1, options.threads()};
    }

    private ChainedOptionsBuilder of(Class<?> benchmark, String list, LayerShape shape) {
        return common(benchmark).param("list", list).param("layer", shape.name());
    }

    /** Every level of this machine, with one thread and with all; the reference is no contender. */
    private ChainedOptionsBuilder ours(ChainedOptionsBuilder builder) {
        String[] levels = KernelLevel.availableLabels().stream()
                .filter(level -> !level.equals("ref"))
                .map(level -> level.toUpperCase(Locale.ROOT))
                .toArray(String[]::new);
        String[] threads =
                Arrays.stream(threadCounts()).mapToObj(Integer::toString).toArray(String[]::new);
        return builder.param("level", levels).param("threads", threads);
    }

    private ChainedOptionsBuilder common(Class<?> benchmark) {
        TimeValue window = TimeValue.milliseconds(Math.max(1, (long) (options.seconds() * MILLIS)));
        return new OptionsBuilder()
                .include(benchmark.getName() + "\\.")
                .mode(Mode.AverageTime)
                .timeUnit(TimeUnit.NANOSECONDS)
                .warmupIterations(WARM_UP)
                .warmupTime(window)
                .measurementIterations(options.windows())
                .measurementTime(window)
                .forks(1)
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT);
    }

    private static Collection<RunResult> run(ChainedOptionsBuilder builder) throws RunnerException {
        return new Runner(builder.build()).run();
    }

    private static String[] names(Enum<?>[] values) {
        return Arrays.stream(values).map(Enum::name).toArray(String[]::new);
    }

    /** {@code tarn avx512}, or the benchmark's own name. */
    private static String what(RunResult result) {
        String level = result.getParams().getParam("level");
        if (level != null) {
            return "tarn " + level.toLowerCase(Locale.ROOT);
        }
        String benchmark = result.getParams().getBenchmark();
        if (benchmark.contains(JavaBench.class.getSimpleName())) {
            return benchmark.endsWith("arrays") ? "java arrays" : "java segments";
        }
        return benchmark.contains(SgemmBench.class.getSimpleName()) ? "sgemm alone" : "ffm";
    }

    /** One line of JSON; shares of the limits are of all threads' for all, and of an equal part for one. */
    private void print(String name, String direction, RunResult result, double flops, double bytes) {
        Statistics nanos = result.getPrimaryResult().getStatistics();
        String given = result.getParams().getParam("threads");
        int threads = given == null ? result.getParams().getThreads() : Integer.parseInt(given);
        double median = nanos.getPercentile(50);
        Map<String, Object> object = new LinkedHashMap<>();
        object.put("event", "kernel");
        object.put("name", name);
        object.put("direction", direction);
        object.put("what", what(result));
        object.put("threads", threads);
        object.put("nanos", median);
        object.put("nanos_least", nanos.getMin());
        object.put("nanos_most", nanos.getMax());
        double part = (double) threads / options.threads();
        if (flops > 0) {
            object.put("gflops", flops / median);
            object.put("share_of_peak", flops / median * 1e9 / (limits.flops() * part));
        }
        if (bytes > 0) {
            object.put("gbytes", bytes / median);
            object.put("share_of_bandwidth", bytes / median * 1e9 / limits.bytes());
        }
        System.out.println(Json.line(object));
    }
}
