package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Sigmoid;
import dev.tarn.nn.Tanh;
import dev.tarn.nn.init.Gaussian;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class HealthTest {
    private static final Shape INPUT = Shape.of(8, 3, 6, 6);
    private static final int CLASSES = 5;

    private final OwnedMemory memory = OwnedMemory.open("batches");

    @AfterEach
    void close() {
        memory.close();
    }

    private static Health measure(Model model, Batch... batches) {
        return Health.of(
                model, batches[0].images().shape(), new CrossEntropyLoss(), List.of(batches), SessionOptions.DEFAULT);
    }

    /** P(|x| > 3) for normal x of that deviation, by Simpson's rule over the half line beyond. */
    private static double beyondThree(double deviation) {
        double from = 3 / deviation;
        int intervals = 20_000;
        double h = 12.0 / intervals;
        double sum = 0;
        for (int i = 0; i <= intervals; i++) {
            double x = from + i * h;
            sum += (i == 0 || i == intervals ? 1 : i % 2 == 1 ? 4 : 2) * Math.exp(-x * x / 2);
        }
        return 2 * sum * h / 3 / Math.sqrt(2 * Math.PI);
    }

    @Test
    void a2_the_saturated_share_of_normal_pre_activations_is_that_of_the_normal_distribution() {
        Shape input = Shape.of(500, 40);
        for (double deviation : new double[] {1, 2, 5}) {
            Layer layer = new Sequential(new Sigmoid(), new Linear(40, CLASSES));
            Batch batch = Batches.labelled(memory, DType.F32, input, CLASSES, 3);
            float[] normal = batch.images().toArray();
            for (int i = 0; i < normal.length; i++) {
                normal[i] *= (float) deviation;
            }
            batch.images().copyFrom(normal);
            try (var model = Model.create(layer, 1)) {
                double share = measure(model, batch).activations().getFirst().saturated();
                double expected = beyondThree(deviation);
                assertEquals(expected, share, 3 * Math.sqrt(expected * (1 - expected) / normal.length));
            }
        }
    }

    @Test
    void a2_a_layer_that_is_mostly_saturated_is_warned_of() {
        Layer layer =
                new Sequential(new Linear(20, 10, Bias.NONE, Gaussian.of(5)), new Tanh(), new Linear(10, CLASSES));
        try (var model = Model.create(layer, 1)) {
            Health health = measure(model, Batches.labelled(memory, DType.F32, Shape.of(50, 20), CLASSES, 3));
            assertEquals(List.of("1"), paths(Lints.of(health, 1e-2), Lint.Id.SATURATED));
        }
    }

    private static List<String> paths(List<Lint> lints, Lint.Id id) {
        return lints.stream().filter(l -> l.id() == id).map(Lint::path).toList();
    }

    @Test
    void a7_units_that_are_dead_over_a_whole_pass_are_counted() {
        Layer layer = new Sequential(
                new Conv2d(3, 7, window(3)),
                new ReLU(),
                new Flatten(),
                new Linear(7 * 16, 30),
                new ReLU(),
                new Linear(30, CLASSES));
        Batch first = Batches.labelled(memory, DType.F32, INPUT, CLASSES, 1);
        Batch second = Batches.labelled(memory, DType.F32, INPUT.withBatch(3), CLASSES, 2);
        try (var model = Model.create(layer, 1)) {
            model.tensor("3.bias").fill(() -> -1.5);
            Health some = measure(model, first, second);
            assertEquals(0, some.activations().get(0).dead());
            assertEquals(
                    deadByBruteForce(model, first, second),
                    some.activations().get(1).dead());
            assertTrue(some.activations().get(1).dead() > 0
                    && some.activations().get(1).dead() < 30);

            model.tensor("0.bias").fill(() -> -100);
            Health all = measure(model, first, second);
            assertEquals(7, all.activations().get(0).dead());
            assertEquals(7, all.activations().get(0).units());
            assertTrue(paths(Lints.of(all, 1e-2), Lint.Id.DEAD_UNITS).contains("1"));
        }
    }

    /** Sums in double of the second hidden layer; none of them is near zero. */
    private static long deadByBruteForce(Model model, Batch... batches) {
        boolean[] alive = new boolean[30];
        Tensor w0 = model.tensor("0.weight");
        Tensor w3 = model.tensor("3.weight");
        for (Batch batch : batches) {
            for (long n = 0; n < batch.size(); n++) {
                double[] hidden = new double[7 * 16];
                for (int at = 0; at < hidden.length; at++) {
                    double sum = 0;
                    for (int k = 0; k < 27; k++) {
                        sum += w0.get(at / 16, k / 9, k / 3 % 3, k % 3)
                                * batch.images().get(n, k / 9, at / 4 % 4 + k / 3 % 3, at % 4 + k % 3);
                    }
                    hidden[at] = Math.max(0, sum);
                }
                for (int unit = 0; unit < 30; unit++) {
                    int row = unit;
                    double sum = IntStream.range(0, hidden.length)
                            .mapToDouble(i -> w3.get(row, i) * hidden[i])
                            .sum();
                    alive[unit] |= sum > 1.5;
                }
            }
        }
        return IntStream.range(0, 30).filter(unit -> !alive[unit]).count();
    }

    private static Layer network() {
        return new Sequential(
                new Conv2d(3, 4, window(3)),
                new BatchNorm2d(4),
                new ReLU(),
                new Flatten(),
                Dropout.keep(0.8),
                new Linear(4 * 16, CLASSES));
    }

    @Test
    void k3_gradient_norms_are_those_of_a_training_session() {
        Batch batch = Batches.labelled(memory, DType.F64, INPUT, CLASSES, 1);
        try (var model = Model.create(network(), 1, DType.F64)) {
            Health health = measure(model, batch);
            try (var session = model.training(INPUT, new CrossEntropyLoss(), new SGD())) {
                assertEquals(session.forward(batch), health.loss(), 1e-12);
                session.backward();
                assertEquals(2, health.weights().size());
                for (Health.Weights weights : health.weights()) {
                    double norm = norm(session.gradient(weights.path()).toDoubleArray());
                    assertEquals(norm, weights.gradientNorm(), 1e-12 * norm);
                    double size = norm(model.tensor(weights.path()).toDoubleArray());
                    assertEquals(size, weights.norm(), 1e-12 * size);
                    assertEquals(0.1 * norm / size, weights.updateRatio(0.1), 1e-12);
                }
            }
        }
    }

    private static double norm(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value * value;
        }
        return Math.sqrt(sum);
    }

    @Test
    void k3_gradients_that_vanish_or_explode_are_warned_of() {
        Batch batch = Batches.labelled(memory, DType.F32, Shape.of(16, 20), CLASSES, 3);
        try (var model = Model.create(deep(new Sigmoid(), new Sigmoid(), new Sigmoid(), new Sigmoid(), 0.05), 1)) {
            assertTrue(paths(Lints.of(measure(model, batch), 1), Lint.Id.VANISHING_GRADIENT)
                    .contains("0.weight"));
        }
        try (var model = Model.create(deep(new ReLU(), new ReLU(), new ReLU(), new ReLU(), 0.3), 1)) {
            List<Lint> lints = Lints.of(measure(model, batch), 1e-2);
            assertEquals(List.of(), paths(lints, Lint.Id.VANISHING_GRADIENT));
            assertEquals(List.of(), paths(lints, Lint.Id.EXPLODING_GRADIENT));
        }
        try (var model = Model.create(deep(new ReLU(), new ReLU(), new ReLU(), new ReLU(), 0.3), 1)) {
            float[] values = model.tensor("8.weight").toArray();
            for (int i = 0; i < values.length; i++) {
                values[i] *= 1e5f; // gradients below it grow with it, its own does not
            }
            model.tensor("8.weight").copyFrom(values);
            assertTrue(paths(Lints.of(measure(model, batch), 1), Lint.Id.EXPLODING_GRADIENT)
                    .contains("0.weight"));
        }
    }

    private static Layer deep(Layer a, Layer b, Layer c, Layer d, double std) {
        return new Sequential(
                new Linear(20, 20, Bias.NONE, Gaussian.of(std)),
                a,
                new Linear(20, 20, Bias.NONE, Gaussian.of(std)),
                b,
                new Linear(20, 20, Bias.NONE, Gaussian.of(std)),
                c,
                new Linear(20, 20, Bias.NONE, Gaussian.of(std)),
                d,
                new Linear(20, CLASSES, Bias.NONE, Gaussian.of(std)));
    }

    @Test
    void a_step_that_is_far_too_long_or_too_short_is_warned_of() {
        try (var model = Model.create(network(), 1)) {
            Health health = measure(model, Batches.labelled(memory, DType.F32, INPUT, CLASSES, 1));
            List<String> both = List.of("0.weight", "5.weight");
            assertEquals(both, paths(Lints.of(health, 100), Lint.Id.UPDATE_RATIO));
            assertEquals(both, paths(Lints.of(health, 1e-9), Lint.Id.UPDATE_RATIO));
            assertEquals(List.of(), paths(Lints.of(health, 1e-2), Lint.Id.UPDATE_RATIO));
        }
    }

    @Test
    void measuring_changes_nothing_and_leaves_nothing() {
        try (var model = Model.create(network(), 1)) {
            List<double[]> before =
                    model.tensors().values().stream().map(Tensor::toDoubleArray).toList();
            Batch batch = Batches.labelled(memory, DType.F32, INPUT, CLASSES, 1);
            long bytes = MemoryAccount.current();
            measure(model, batch);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> Health.of(model, INPUT, new CrossEntropyLoss(), List.of(), SessionOptions.DEFAULT));
            Curvature.largest(model, new CrossEntropyLoss(), batch, 2, 1, SessionOptions.DEFAULT);
            assertEquals(bytes, MemoryAccount.current());
            int i = 0;
            for (Tensor tensor : model.tensors().values()) {
                assertArrayEquals(before.get(i++), tensor.toDoubleArray());
            }
        }
    }

    private static final int EXAMPLES = 256;

    /** All examples in an order, cut into batches. */
    private static List<Batch> batches(Batch all, int size, long order, OwnedMemory memory) {
        int features = (int) all.images().shape().size(1);
        var permutation = memory.allocate(4L * EXAMPLES);
        new Rng(order, Rng.Stream.SHUFFLE, 0).permutation(permutation, EXAMPLES);
        var images = Tensor.view(
                memory.allocate(all.images().byteSize()),
                DType.F64,
                all.images().shape(),
                Layout.ROW_MAJOR);
        var labels = Tensor.view(
                memory.allocate(all.labels().byteSize()),
                DType.I32,
                all.labels().shape(),
                Layout.ROW_MAJOR);
        for (int i = 0; i < EXAMPLES; i++) {
            long from = permutation.getAtIndex(java.lang.foreign.ValueLayout.JAVA_INT, i);
            labels.set(all.labels().get(from), i);
            for (int f = 0; f < features; f++) {
                images.set(all.images().get(from, f), i, f);
            }
        }
        List<Batch> parts = new ArrayList<>();
        for (int first = 0; first < EXAMPLES; first += size) {
            parts.add(new Batch(
                    Tensor.view(
                            images.data().asSlice(8L * features * first, 8L * features * size),
                            DType.F64,
                            Shape.of(size, features),
                            Layout.ROW_MAJOR),
                    Tensor.view(
                            labels.data().asSlice(4L * first, 4L * size), DType.I32, Shape.of(size), Layout.ROW_MAJOR),
                    memory));
        }
        return parts;
    }

    @Test
    void t7_the_noise_of_a_gradient_falls_with_the_size_of_the_batch() {
        int orders = 40;
        Batch all = Batches.labelled(memory, DType.F64, Shape.of(EXAMPLES, 8), CLASSES, 1);
        int[] sizes = {1, 2, 4, 8, 16};
        double[] variances = new double[sizes.length];
        try (var model = Model.create(new Sequential(new Linear(8, CLASSES)), 1, DType.F64)) {
            double ofOne = 0;
            for (int s = 0; s < sizes.length; s++) {
                double[] measured =
                        new double[sizes[s] == 1 ? 1 : orders]; // single images are all there whatever the order
                for (int order = 0; order < measured.length; order++) {
                    GradientNoise noise = measure(
                                    model, batches(all, sizes[s], order, memory).toArray(Batch[]::new))
                            .noise();
                    assertEquals(EXAMPLES, noise.examples());
                    assertEquals(noise.variance(), noise.ofBatch(sizes[s]), 1e-12 * noise.variance());
                    measured[order] = noise.variance();
                    variances[s] += noise.variance() / measured.length;
                }
                ofOne = sizes[s] == 1 ? variances[s] : ofOne;
                double formula = ofOne / sizes[s] * (EXAMPLES - sizes[s]) / (EXAMPLES - 1);
                double mean = variances[s];
                double spread = Math.sqrt(java.util.Arrays.stream(measured)
                                .map(v -> (v - mean) * (v - mean))
                                .sum()
                        / orders
                        / orders);
                assertEquals(formula, mean, 5 * spread + 1e-12 * formula, "batch " + sizes[s]);
            }
        }
        double slope = Math.log(variances[4] / variances[0]) / Math.log(16);
        assertEquals(-1, slope, 0.1);
    }

    @Test
    void t7_descent_on_the_whole_set_never_rises_at_a_rate_below_two_over_the_curvature() {
        Shape input = Shape.of(32, 6);
        Batch all = Batches.regression(memory, DType.F64, input, Shape.of(32, 2), 1);
        var loss = new dev.tarn.nn.loss.MSELoss();
        try (var model = Model.create(new Sequential(new Linear(6, 2)), 1, DType.F64)) {
            double curvature = Curvature.largest(model, loss, all, 100, 1, SessionOptions.DEFAULT);
            try (var session = model.training(input, loss, new SGD())) {
                double before = session.forward(all);
                for (int i = 0; i < 300; i++) {
                    session.backward();
                    session.update(1.99 / curvature);
                    double after = session.forward(all);
                    assertTrue(after <= before * (1 + 1e-15), after + " after " + before);
                    before = after;
                }
                session.backward();
                for (int i = 0; i < 300; i++) {
                    session.update(2.01 / curvature);
                    session.forward(all);
                    session.backward();
                }
                assertTrue(session.forward(all) > before);
            }
        }
    }
}
