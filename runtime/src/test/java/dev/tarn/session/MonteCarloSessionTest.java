package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.memory.MemoryBudgetException;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.DropConnect;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.GlobalAvgPool2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Row G11 of the methods: passes with masks, averaged. */
class MonteCarloSessionTest {
    private static final Shape INPUT = Shape.of(5, 3, 6, 6);
    private static final int CLASSES = 4;

    private OwnedMemory memory;
    private Batch batch;

    @BeforeEach
    void open() {
        memory = OwnedMemory.open("batch");
        batch = Batches.labelled(memory, DType.F32, INPUT, CLASSES, 3);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private static Layer net(double keep) {
        return new Sequential(
                new Conv2d(3, 7, window(3)),
                new BatchNorm2d(7),
                new ReLU(),
                Dropout.keep(keep),
                new Flatten(),
                new Linear(7 * 16, CLASSES));
    }

    private record Numbers(double[] mean, double[] spread) {}

    private Numbers run(Model model, int passes, MonteCarloSession.Of of) {
        try (var session = model.monteCarlo(INPUT, passes, of, SessionOptions.DEFAULT)) {
            var estimate = session.run(batch);
            return new Numbers(
                    estimate.mean().toDoubleArray(), estimate.spread().toDoubleArray());
        }
    }

    private double[] evaluate(Model model) {
        try (var session = model.inference(INPUT)) {
            return session.run(batch).toDoubleArray();
        }
    }

    @Test
    void g11_no_passes_equal_evaluation() {
        try (Model model = Model.create(net(0.5), 1)) {
            Numbers outputs = run(model, 0, MonteCarloSession.Of.OUTPUTS);
            assertArrayEquals(evaluate(model), outputs.mean());
            assertArrayEquals(new double[5 * CLASSES], outputs.spread());
            Numbers probabilities = run(model, 0, MonteCarloSession.Of.PROBABILITIES);
            try (var session = model.inference(INPUT)) {
                Tensor logits = session.run(batch);
                for (int row = 0; row < 5; row++) {
                    assertArrayEquals(
                            Metrics.probabilities(logits, row),
                            Arrays.copyOfRange(probabilities.mean(), row * CLASSES, (row + 1) * CLASSES));
                }
            }
        }
    }

    /** Means of k draws of variance v lie within 5 sqrt(v / k); their variance within 5 sqrt((m4 - v^2) / k), m4 the fourth moment. */
    @Test
    void g11_many_passes_tend_to_the_analytic_result_of_a_linear_net() {
        double keep = 0.7;
        int passes = 4000;
        Shape input = Shape.of(2, 8);
        Batch rows = Batches.labelled(memory, DType.F32, input, 3, 5);
        try (Model model = Model.create(new Sequential(Dropout.keep(keep), new Linear(8, 3)), 4);
                var session = model.monteCarlo(input, passes, MonteCarloSession.Of.OUTPUTS, SessionOptions.DEFAULT)) {
            double[] x = rows.images().toDoubleArray();
            double[] w = model.tensor("1.weight").toDoubleArray();
            var estimate = session.run(rows);
            double[] mean = estimate.mean().toDoubleArray();
            double[] spread = estimate.spread().toDoubleArray();
            for (int y = 0; y < mean.length; y++) {
                double exact = 0;
                double variance = 0;
                double fourthCumulant = 0;
                for (int i = 0; i < 8; i++) {
                    double term = w[y % 3 * 8 + i] * x[y / 3 * 8 + i];
                    double pq = keep * (1 - keep);
                    exact += term;
                    variance += Math.pow(term / keep, 2) * pq;
                    fourthCumulant += Math.pow(term / keep, 4) * pq * (1 - 6 * pq);
                }
                double fourth = fourthCumulant + 3 * variance * variance;
                assertEquals(exact, mean[y], 5 * Math.sqrt(variance / passes));
                assertEquals(variance, spread[y] * spread[y], 5 * Math.sqrt((fourth - variance * variance) / passes));
            }
        }
    }

    @Test
    void g11_batch_normalisation_stays_in_evaluation() {
        try (Model model = Model.create(net(1), 1)) {
            double[] expected = evaluate(model);
            Numbers numbers = run(model, 3, MonteCarloSession.Of.OUTPUTS);
            assertArrayEquals(expected, numbers.mean(), 1e-5);
            assertTrue(Arrays.stream(numbers.spread()).allMatch(s -> s == 0), "every pass is the same");
            assertArrayEquals(expected, evaluate(model));
        }
    }

    @Test
    void g11_the_same_batch_gives_the_same_bits_and_probabilities_add_up() {
        try (Model model = Model.create(net(0.5), 1)) {
            Numbers first = run(model, 7, MonteCarloSession.Of.PROBABILITIES);
            Numbers second = run(model, 7, MonteCarloSession.Of.PROBABILITIES);
            assertArrayEquals(first.mean(), second.mean());
            assertArrayEquals(first.spread(), second.spread());
            assertTrue(Arrays.stream(first.spread()).allMatch(s -> s > 0), "no spread");
            for (int row = 0; row < 5; row++) {
                double sum = Arrays.stream(first.mean(), row * CLASSES, (row + 1) * CLASSES)
                        .sum();
                assertEquals(1, sum, 1e-12);
            }
        }
    }

    /** Weights that are masked are prepared in each pass, also where batch normalisation follows. */
    @Test
    void g11_masked_weights_are_drawn_in_each_pass() {
        Layer layer = new Sequential(
                new Flatten(),
                DropConnect.keep(0.5, 3 * 36, 9),
                new BatchNorm2d(9),
                new ReLU(),
                new Linear(9, CLASSES));
        try (Model model = Model.create(layer, 1)) {
            Numbers numbers = run(model, 7, MonteCarloSession.Of.OUTPUTS);
            assertTrue(Arrays.stream(numbers.spread()).allMatch(s -> s > 0), "every pass is the same");
        }
    }

    /** Twice the share that is kept of ones, which is the same number only where the mask is. */
    @Test
    void g11_parts_of_a_batch_draw_apart() {
        Shape large = Shape.of(6, 1, 1000, 1000);
        var net = new Sequential(Dropout.keep(0.5), new GlobalAvgPool2d());
        Batch ones = Batches.labelled(memory, DType.F32, large, 2, 1);
        ones.images().fill(() -> 1);
        try (Model model = Model.create(net, 1);
                var session = model.monteCarlo(large, 1, MonteCarloSession.Of.OUTPUTS, SessionOptions.DEFAULT)) {
            assertTrue(session.part() < 6, "one part of " + session.part());
            double[] shares = session.run(ones).mean().toDoubleArray();
            assertEquals(6, Arrays.stream(shares).distinct().count(), Arrays.toString(shares));
        }
    }

    @Test
    void g11_what_passes_need_is_planned() {
        try (Model model = Model.create(net(0.5), 1);
                var session = model.monteCarlo(INPUT, 2, MonteCarloSession.Of.OUTPUTS, SessionOptions.DEFAULT)) {
            for (String name : new String[] {"mean", "spread"}) {
                MemoryPlan.Buffer buffer = session.memory().buffers().stream()
                        .filter(b -> b.name().equals(name))
                        .findAny()
                        .orElseThrow();
                assertEquals(5 * CLASSES * Double.BYTES, buffer.byteSize());
            }
            var tight = SessionOptions.DEFAULT.withMemoryBudget(session.memory().byteSize() - 1);
            assertThrows(
                    MemoryBudgetException.class, () -> model.monteCarlo(INPUT, 2, MonteCarloSession.Of.OUTPUTS, tight));
        }
    }

    @Test
    void g11_a_smaller_batch_is_taken_and_a_larger_one_refused() {
        try (Model model = Model.create(net(0.5), 1);
                var session = model.monteCarlo(
                        Shape.of(4, 3, 6, 6), 2, MonteCarloSession.Of.PROBABILITIES, SessionOptions.DEFAULT)) {
            Batch two = Batches.labelled(memory, DType.F32, Shape.of(2, 3, 6, 6), CLASSES, 3);
            assertEquals(Shape.of(2, CLASSES), session.run(two).mean().shape());
            assertThrows(ShapeException.class, () -> session.run(batch));
        }
    }

    @Test
    void g11_negative_passes_and_passes_in_bf16_are_refused() {
        try (Model model = Model.create(net(0.5), 1)) {
            assertThrows(
                    IllegalArgumentException.class,
                    () -> model.monteCarlo(INPUT, -1, MonteCarloSession.Of.OUTPUTS, SessionOptions.DEFAULT));
            var bf16 = SessionOptions.DEFAULT.withPrecision(DType.BF16);
            assertThrows(
                    IllegalArgumentException.class,
                    () -> model.monteCarlo(INPUT, 1, MonteCarloSession.Of.OUTPUTS, bf16));
        }
    }
}
