package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static dev.tarn.session.GradientTest.KINKS;
import static dev.tarn.session.GradientTest.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.StochasticPool2d;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Row G13 of the methods: an element drawn in proportion to its activation. */
class StochasticPoolTest {
    private static double[] activations(int count) {
        Rng rng = new Rng(9, Rng.Stream.DIGITS, 0);
        double[] x = new double[count];
        Arrays.setAll(x, i -> (float) Math.max(0, rng.nextGaussian()));
        return x;
    }

    /** k draws of variance v: their mean lies within 5 sqrt(v / k); inference is the exact mean, rounded. */
    @Test
    void g13_the_mean_over_draws_tends_to_the_weighted_sum() {
        int passes = 2000;
        Shape input = Shape.of(2, 3, 4, 6);
        double[] x = activations(2 * 3 * 4 * 6);
        try (var memory = OwnedMemory.open("x");
                Model model = Model.create(new StochasticPool2d(2), 5);
                var inference = model.inference(input);
                var session = model.monteCarlo(input, passes, MonteCarloSession.Of.OUTPUTS, SessionOptions.DEFAULT)) {
            var images = Probe.tensor(memory, DType.F32, input, x);
            double[] expected = inference.run(images).toDoubleArray();
            double[] mean =
                    session.run(new Batch(images, images, memory)).mean().toDoubleArray();
            for (int y = 0; y < mean.length; y++) {
                int corner = y / 6 * 24 + y / 3 % 2 * 12 + y % 3 * 2;
                double[] a = {x[corner], x[corner + 1], x[corner + 6], x[corner + 7]};
                double sum = Arrays.stream(a).sum();
                double first = 0;
                double second = 0;
                for (double v : a) {
                    first += sum > 0 ? v / sum * v : 0;
                    second += sum > 0 ? v / sum * v * v : 0;
                }
                assertEquals(first, expected[y], 0x1p-23 * first);
                assertEquals(first, mean[y], 5 * Math.sqrt((second - first * first) / passes) + 1e-12);
            }
        }
    }

    @Test
    void g13_a_one_hot_window_returns_its_value_bitwise_and_an_empty_one_zero() {
        Shape input = Shape.of(1, 1, 2, 6);
        double[] x = {0, 0.1f, 0, 0, -1, -2, 0, 0, 0, 0, -3, 1e-3f};
        double[] want = {0.1f, 0, 1e-3f};
        assertArrayEquals(want, Probe.infer(new StochasticPool2d(2), DType.F32, input, x));
        Probe.Trained trained = Probe.train(new StochasticPool2d(2), DType.F32, 1, input, x);
        assertArrayEquals(want, trained.output());
        for (int i = 0; i < x.length; i++) {
            assertEquals(x[i] > 0, trained.gradInput()[i] != 0);
        }
    }

    @Test
    void g13_not_a_number_is_not_hidden() {
        Shape input = Shape.of(1, 1, 2, 2);
        double[] x = {1, Double.NaN, 2, Double.POSITIVE_INFINITY};
        assertTrue(Double.isNaN(Probe.infer(new StochasticPool2d(2), DType.F32, input, x)[0]));
        assertTrue(Double.isNaN(
                Probe.train(new StochasticPool2d(2), DType.F32, 1, input, x).output()[0]));
    }

    @Test
    void g13_gradients_go_to_what_was_drawn() {
        Shape input = Shape.of(1, 5, 6, 8);
        Probe.Trained trained = Probe.train(new StochasticPool2d(2), DType.F64, 3, input, activations(5 * 6 * 8));
        double sent = Arrays.stream(trained.gradOutput()).sum();
        assertEquals(sent, Arrays.stream(trained.gradInput()).sum(), 1e-12);
        long outputs = Arrays.stream(trained.output()).filter(y -> y != 0).count();
        assertEquals(
                outputs, Arrays.stream(trained.gradInput()).filter(g -> g != 0).count());
        check(
                KINKS,
                new ReLU(),
                new StochasticPool2d(window(3).stride(2).padding(1).floor()));
    }

    @Test
    void g13_windows_that_do_not_fit_and_windows_of_more_than_255_are_refused() {
        double[] x = new double[16 * 16];
        assertThrows(
                ShapeException.class, () -> Probe.infer(new StochasticPool2d(3), DType.F32, Shape.of(1, 1, 16, 16), x));
        assertThrows(
                IllegalArgumentException.class,
                () -> Probe.infer(new StochasticPool2d(16), DType.F32, Shape.of(1, 1, 16, 16), x));
    }
}
