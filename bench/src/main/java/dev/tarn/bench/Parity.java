package dev.tarn.bench;

import dev.tarn.bench.Options.UsageException;
import dev.tarn.io.SafeTensors;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * Compares training here and in libtorch, from equal weights on an equal batch: logits, loss and every gradient of the
 * first step, the losses of ten more, and how each parameter and running statistic has changed after them.
 */
public final class Parity {
    /** Steps after the one whose gradients are compared. */
    public static final int STEPS = 10;

    public static final String LOGITS = "logits";
    public static final String LOSS = "loss";
    public static final String LOSSES = "losses";
    /** Before the name of a parameter. */
    public static final String GRADIENT = "gradient:";
    /** Before the name of a parameter: its value after all steps less that before them. */
    public static final String CHANGE = "change:";

    /**
     * Relative errors in the Euclidean norm that need no comparison, by network. A sum of K products rounds by about
     * sqrt(K) 2^-24 of its norm, which is 4e-6 for the 4,608 of a convolution of 512 channels; a network of L layers
     * passes L such errors on forward and L back, and each batch normalisation may magnify what it gets. So it is 4e-6
     * times twice the number of layers times ten.
     */
    private static final Map<String, Double> TOLERANCE =
            Map.of("lenet5", 4e-4, "vgg11", 8e-4, "resnet18", 2e-3, "resnet50", 4e-3);

    /** Images at once: double precision takes its time on photographs. */
    private static final Map<String, Integer> BATCH = Map.of("lenet5", 16, "vgg11", 16, "resnet18", 16, "resnet50", 4);

    private static final List<String> NETWORKS = List.of("lenet5", "vgg11", "resnet18", "resnet50");

    /**
     * A tensor counts for at least this share of what it would have were its group's elements all of one size: a bias
     * before a batch normalisation has a gradient of zero but for rounding, and a share of that means nothing.
     */
    private static final double FLOOR = 1e-2;

    private Parity() {}

    public static void main(String[] arguments) throws IOException, InterruptedException {
        try {
            Options options = Options.parse(arguments);
            if (options.help) {
                System.out.print("""
                    bench/run parity [NETWORK...] [--threads N]

                    Trains lenet5, vgg11, resnet18 and resnet50 here and in libtorch and compares logits, loss, all
                    gradients, ten losses and all changes of parameters. Exit status 1 if any is out of bounds.
                    """);
                return;
            }
            System.exit(run(options));
        } catch (UsageException e) {
            System.err.println("bench/run parity: " + e.getMessage());
            System.exit(2);
        }
    }

    private static int run(Options options) throws IOException, InterruptedException {
        Predicate<String> chosen = options.chosen(NETWORKS);
        Entrant peer = Entrant.peers(options.threads).getFirst();
        if (!peer.isBuilt()) {
            throw new UsageException("libtorch is not built: run " + Bench.BUILD_PEERS);
        }
        int misses = 0;
        for (String network : NETWORKS) {
            if (chosen.test(network)) {
                misses += compare(network, peer, options.threads);
            }
        }
        return misses == 0 ? 0 : 1;
    }

    private static int compare(String network, Entrant peer, int threads) throws IOException, InterruptedException {
        Path folder = Files.createTempDirectory("tarn-parity");
        try {
            Job job = new Job(Task.PARITY, network, BATCH.getOrDefault(network, 1), threads, folder, 0, 0);
            TarnContender.saveWeights(job);
            SafeTensors exact = results(peer, job.with(Task.PARITY_F64));
            Map<String, Double> ours = errors(results(Entrant.ours(), job), exact);
            Map<String, Double> theirs = new HashMap<>();
            for (Path drawn : Sensitivity.outputs(peer, job)) {
                errors(SafeTensors.open(drawn), exact).forEach((name, error) -> theirs.merge(name, error, Math::max));
            }
            return compare(network, TOLERANCE.getOrDefault(network, 0.0), ours, theirs);
        } finally {
            Race.delete(folder);
        }
    }

    private static SafeTensors results(Entrant entrant, Job job) throws IOException, InterruptedException {
        return SafeTensors.open(
                Run.of(entrant, entrant.settings().getFirst(), job).outputs());
    }

    /** The relative error of each result, by its name. */
    private static Map<String, Double> errors(SafeTensors actual, SafeTensors exact) {
        Map<String, double[]> groups = new HashMap<>(); // sum of squares, count
        for (String name : exact.names()) {
            float[] values = exact.tensor(name).toArray();
            double[] sums = groups.computeIfAbsent(group(name), _ -> new double[2]);
            sums[0] += squares(values, new float[values.length]);
            sums[1] += values.length;
        }
        Map<String, Double> errors = new TreeMap<>();
        for (String name : exact.names()) {
            double[] sums = groups.getOrDefault(group(name), new double[2]);
            errors.put(
                    name,
                    error(actual.tensor(name).toArray(), exact.tensor(name).toArray(), Math.sqrt(sums[0] / sums[1])));
        }
        return errors;
    }

    private static int compare(String network, double tolerance, Map<String, Double> ours, Map<String, Double> theirs) {
        Map<String, Double> worst = new HashMap<>(); // of moved weights, by kind
        theirs.forEach((name, error) -> worst.merge(group(name), error, Math::max));
        int misses = 0;
        for (Map.Entry<String, Double> result : ours.entrySet()) {
            double bound = Math.max(tolerance, Sensitivity.LEEWAY * worst.getOrDefault(group(result.getKey()), 0.0));
            if (!(result.getValue() <= bound)) {
                misses++;
                System.err.printf(
                        "%s: %s has a relative error of %.1e, allowed %.1e%n",
                        network, result.getKey(), result.getValue(), bound);
            }
        }
        System.out.printf(
                "%s: %d tensors, largest error against double precision %.1e, of moved weights %.1e, tolerance %.1e:"
                        + " %s%n",
                network,
                ours.size(),
                Collections.max(ours.values()),
                Collections.max(theirs.values()),
                tolerance,
                misses == 0 ? "equal" : misses + " differ");
        return misses;
    }

    /** Parameters are told apart by their names, kinds of results by what stands before a colon. */
    private static String group(String name) {
        return name.substring(0, name.indexOf(':') + 1);
    }

    /**
     * Norm of the difference by that of the expected values, which counts for at least {@link #FLOOR} of what it
     * would be if each were of the group's usual size.
     */
    static double error(float[] actual, float[] expected, double usual) {
        if (actual.length != expected.length) {
            return Double.POSITIVE_INFINITY;
        }
        double norm = Math.sqrt(squares(expected, new float[expected.length]));
        double least = Math.max(Double.MIN_NORMAL, FLOOR * usual * Math.sqrt(expected.length));
        return Math.sqrt(squares(actual, expected)) / Math.max(norm, least);
    }

    /** A result as a tensor; all are compared element by element in logical order, whatever their shapes. */
    public static Tensor result(float... values) {
        return Tensor.of(Shape.of(values.length), values);
    }

    /** The result of a parameter's change. */
    public static Tensor change(float[] before, float[] after) {
        float[] change = new float[before.length];
        for (int i = 0; i < change.length; i++) {
            change[i] = after[i] - before[i];
        }
        return result(change);
    }

    private static double squares(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            double difference = (double) a[i] - b[i];
            sum += difference * difference;
        }
        return sum;
    }
}
