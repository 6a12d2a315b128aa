package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.data.Batch;
import dev.tarn.graph.Node;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.nn.loss.Loss;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Adds up what {@link Health} tells, batch by batch, in double. */
final class HealthPass implements AutoCloseable {
    /** Of one activation. */
    private static final class Counter {
        long elements;
        long saturated;
        final BitSet alive = new BitSet();

        void add(Tensor before, Tensor after) {
            long count = before.shape().elementCount();
            int units = units(after);
            for (long i = 0; i < count; i++) {
                if (Math.abs(before.getAt(i)) > Health.SATURATED) {
                    saturated++;
                }
                if (after.getAt(i) != 0) {
                    alive.set((int) (i % units)); // the channel is the innermost dimension
                }
            }
            elements += count;
        }

        private static int units(Tensor tensor) {
            return Math.toIntExact(tensor.shape().size(1));
        }
    }

    private final Shadow shadow;
    private final long batchSize;
    private final Map<String, Parameter> learned = new LinkedHashMap<>();
    private final Map<Node, Counter> counters = new LinkedHashMap<>();
    private final Map<String, Double> squares = new LinkedHashMap<>(); // of gradients, over all batches
    private final MemorySegment sums; // of the gradients of whole batches, F64
    private long batches;
    private long wholeBatches;
    private double wholeSquares;
    private long examples;
    private double loss;

    HealthPass(Model model, Shape input, Loss lossFunction, SessionOptions options) {
        batchSize = input.size(0);
        model.layer().parametersByPath().forEach((path, parameter) -> {
            if (parameter.role().isTrainable()) {
                learned.put(path, parameter);
                squares.put(path, 0.0);
            }
        });
        shadow = new Shadow(model, input, lossFunction, options, 1);
        sums = shadow.vector(0);
        shadow.activations().forEach(node -> counters.put(node, new Counter()));
    }

    void add(Batch batch) {
        loss += shadow.run(batch) * batch.size();
        examples += batch.size();
        batches++;
        counters.forEach((node, counter) ->
                counter.add(shadow.tensor(node.input(0), batch), shadow.tensor(node.output(), batch)));
        boolean whole = batch.size() == batchSize;
        long at = 0;
        double all = 0;
        for (Map.Entry<String, Parameter> entry : learned.entrySet()) {
            Tensor gradient = shadow.gradient(entry.getValue());
            double square = 0;
            for (long i = 0; i < gradient.shape().elementCount(); i++, at++) {
                double g = gradient.getAt(i);
                square += g * g;
                if (whole) {
                    double before = sums.getAtIndex(ValueLayout.JAVA_DOUBLE, at);
                    sums.setAtIndex(ValueLayout.JAVA_DOUBLE, at, before + g);
                }
            }
            squares.merge(entry.getKey(), square, Double::sum);
            all += square;
        }
        if (whole) {
            wholeBatches++;
            wholeSquares += all;
        }
    }

    Health result() {
        if (batches == 0) {
            throw new IllegalArgumentException("there is no batch to measure");
        }
        List<Health.Activations> activations = new ArrayList<>();
        counters.forEach((node, counter) -> {
            long units = node.output().shape().size(1);
            activations.add(new Health.Activations(
                    node.path(),
                    ((ActivationOp) node.op()).activation(),
                    counter.saturated / (double) counter.elements,
                    units,
                    units - counter.alive.cardinality()));
        });
        List<Health.Weights> weights = new ArrayList<>();
        learned.forEach((path, parameter) -> {
            if (parameter.role() == Role.WEIGHT) {
                double square = requireNonNull(squares.get(path));
                weights.add(new Health.Weights(path, norm(shadow.parameter(parameter)), Math.sqrt(square / batches)));
            }
        });
        return new Health(loss / examples, activations, weights, noise());
    }

    /** The mean of |g_b - g|^2 is the mean of |g_b|^2 less |g|^2, where g is the mean of g_b. */
    private GradientNoise noise() {
        double signal = 0;
        for (long i = 0; i < sums.byteSize() / Double.BYTES; i++) {
            double mean = sums.getAtIndex(ValueLayout.JAVA_DOUBLE, i) / wholeBatches;
            signal += mean * mean;
        }
        double variance = Math.max(0, wholeSquares / wholeBatches - signal);
        return new GradientNoise(wholeBatches * batchSize, batchSize, variance, signal);
    }

    private static double norm(Tensor tensor) {
        double sum = 0;
        for (long i = 0; i < tensor.shape().elementCount(); i++) {
            double value = tensor.getAt(i);
            sum += value * value;
        }
        return Math.sqrt(sum);
    }

    @Override
    public void close() {
        shadow.close();
    }
}
