package dev.tarn.nn;

import static dev.tarn.Messages.assertSays;
import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.graph.Fan;
import dev.tarn.graph.Initializer;
import dev.tarn.nn.init.Distribution;
import dev.tarn.nn.init.Gaussian;
import dev.tarn.nn.init.He;
import dev.tarn.nn.init.Initialization;
import dev.tarn.nn.init.LeCun;
import dev.tarn.nn.init.Orthogonal;
import dev.tarn.nn.init.Xavier;
import dev.tarn.nn.init.XavierAverage;
import dev.tarn.session.Model;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows I1 to I7, I11 and A7, but for what takes training or a batch. */
class InitializationTest {
    private static final Shape MILLION = Shape.of(800, 1250);

    private static float[] drawn(Initializer initializer, Shape shape, long groups) {
        return drawn(initializer, shape, groups, 7);
    }

    private static float[] drawn(Initializer initializer, Shape shape, long groups, long seed) {
        Tensor tensor =
                Tensor.view(Arena.ofAuto().allocate(4 * shape.elementCount(), 64), DType.F32, shape, Layout.WEIGHT);
        initializer.initialize(tensor, Fan.of(shape, groups), new Rng(seed, Rng.Stream.INIT, 3));
        return tensor.toArray();
    }

    private static double variance(float[] values) {
        double sum = 0;
        double squares = 0;
        for (float value : values) {
            sum += value;
            squares += (double) value * value;
        }
        return squares / values.length - Math.pow(sum / values.length, 2);
    }

    /**
     * Within five standard deviations of a normal sample's variance, sqrt(2 / n) of it; a uniform sample varies less.
     */
    private static void assertVariance(double expected, float[] values) {
        assertEquals(expected, variance(values), 5 * Math.sqrt(2.0 / values.length) * expected);
    }

    private static void assertDistribution(Distribution distribution, double std, float[] values) {
        double largest = 0;
        for (float value : values) {
            largest = Math.max(largest, Math.abs(value));
        }
        double bound = Math.sqrt(3) * std;
        if (distribution == Distribution.UNIFORM) {
            assertTrue(largest <= bound * (1 + 1e-6) && largest > 0.999 * bound, largest + " of " + bound);
        } else {
            assertTrue(largest > 4 * std && largest < 7 * std, largest + " of " + std);
        }
    }

    @Test
    void i2_gaussian_has_its_variance() {
        assertVariance(1e-4, drawn(Gaussian.of(0.01), MILLION, 1));
        assertThrows(IllegalArgumentException.class, () -> Gaussian.of(0));
        assertThrows(IllegalArgumentException.class, () -> Gaussian.of(Double.NaN));
    }

    @ParameterizedTest
    @EnumSource(Distribution.class)
    void i3_xavier_has_variance_one_over_fan_in(Distribution distribution) {
        float[] weights = drawn(Xavier.of(distribution), MILLION, 1);
        assertVariance(1 / 1250.0, weights);
        assertDistribution(distribution, Math.sqrt(1 / 1250.0), weights);
        assertArrayEquals(weights, drawn(LeCun.of(distribution), MILLION, 1));
    }

    @ParameterizedTest
    @EnumSource(Distribution.class)
    void i4_averaged_xavier_keeps_variances_both_ways(Distribution distribution) {
        assertVariance(2 / 2050.0, drawn(XavierAverage.of(distribution), MILLION, 1));
        int d = 512;
        int batch = 64;
        float[] w = drawn(XavierAverage.of(distribution), Shape.of(d, d), 1);
        float[] x = drawn(Gaussian.of(1), Shape.of(batch, d), 1, 8);
        float[] forward = new float[batch * d];
        float[] backward = new float[batch * d];
        for (int n = 0; n < batch; n++) {
            for (int o = 0; o < d; o++) {
                for (int i = 0; i < d; i++) {
                    forward[n * d + o] += w[o * d + i] * x[n * d + i];
                    backward[n * d + i] += w[o * d + i] * x[n * d + o];
                }
            }
        }
        assertEquals(1, variance(forward) / variance(x), 0.05);
        assertEquals(1, variance(backward) / variance(x), 0.05);
    }

    @ParameterizedTest
    @EnumSource(Distribution.class)
    void i5_he_has_twice_the_variance_and_less_for_leaky_layers(Distribution distribution) {
        assertVariance(2 / 1250.0, drawn(He.of(distribution, 0), MILLION, 1));
        assertVariance(2 / (1 + 0.2 * 0.2) / 1250, drawn(He.of(distribution, 0.2), MILLION, 1));
    }

    @Test
    void i6_a_convolution_counts_its_window_and_its_groups_channels() {
        float[] weights = drawn(He.normal(), Shape.of(1736, 64, 3, 3), 1);
        assertEquals(Math.sqrt(2 / 576.0), Math.sqrt(variance(weights)), 0.007 * Math.sqrt(2 / 576.0));
        assertFan(new Fan(576, 9 * 32), new Conv2d(64, 32, window(3)));
        assertFan(new Fan(9 * 16, 9 * 8), new Conv2d(64, 32, window(3), Bias.NONE, 4));
        assertFan(new Fan(25, 25), new Conv2d(64, 64, window(5), Bias.NONE, 64));
        assertFan(new Fan(100, 7), new Linear(100, 7));
        assertVariance(2 / 288.0, drawn(He.normal(), Shape.of(3472, 32, 3, 3), 2)); // 64 channels in two groups
    }

    private static void assertFan(Fan expected, Layer layer) {
        assertEquals(expected, layer.parametersByPath().get("weight").fan());
    }

    @Test
    void i7_the_variance_of_a_sum_of_products() {
        Rng rng = new Rng(3, Rng.Stream.INIT, 9);
        int inputs = 50;
        int trials = 100_000;
        for (double mean : new double[] {0, 0.5}) {
            double sum = 0;
            double squares = 0;
            for (int t = 0; t < trials; t++) {
                double y = 0;
                for (int i = 0; i < inputs; i++) {
                    y += (mean + rng.nextDouble() - 0.5) * (0.7 * mean + 0.3 * rng.nextGaussian());
                }
                sum += y;
                squares += y * y;
            }
            double x2 = 1 / 12.0 + mean * mean;
            double w2 = 0.09 + 0.49 * mean * mean;
            double expected = inputs * (x2 * w2 - mean * mean * 0.49 * mean * mean);
            double measured = squares / trials - Math.pow(sum / trials, 2);
            assertEquals(expected, measured, 0.03 * expected);
        }
    }

    @Test
    void i11_orthogonal_rows_or_columns() {
        assertOrthogonal(Shape.of(64, 200), 1);
        assertOrthogonal(Shape.of(200, 64), 1);
        assertOrthogonal(Shape.of(100, 100), 1);
        assertOrthogonal(Shape.of(32, 16, 3, 3), 1);
        assertOrthogonal(Shape.of(64, 8, 3, 3), 4);
        assertOrthogonal(Shape.of(12, 1, 3, 3), 12);
    }

    private static void assertOrthogonal(Shape shape, long groups) {
        float[] all = drawn(Orthogonal.create(), shape, groups);
        int rows = (int) (shape.size(0) / groups);
        int columns = (int) Fan.of(shape, groups).in();
        for (int group = 0; group < groups; group++) {
            float[] w = Arrays.copyOfRange(all, group * rows * columns, (group + 1) * rows * columns);
            int vectors = Math.min(rows, columns);
            for (int a = 0; a < vectors; a++) {
                for (int b = 0; b < vectors; b++) {
                    double inner = 0;
                    for (int k = 0; k < Math.max(rows, columns); k++) {
                        inner += rows <= columns
                                ? (double) w[a * columns + k] * w[b * columns + k]
                                : (double) w[k * columns + a] * w[k * columns + b];
                    }
                    assertEquals(a == b ? 1 : 0, inner, 1e-5, shape + ": " + a + ", " + b);
                }
            }
        }
        if (groups > 1) {
            assertFalse(Arrays.equals(
                    Arrays.copyOf(all, rows * columns), Arrays.copyOfRange(all, rows * columns, 2 * rows * columns)));
        }
    }

    private static Sequential net() {
        return new Sequential(
                new Conv2d(1, 4, window(3)), new BatchNorm2d(4), new ReLU(), new Flatten(), new Linear(4 * 6 * 6, 10));
    }

    @Test
    void a7_biases_beside_weights_start_at_what_is_asked_for() {
        try (var model = Model.create(net(), 1, Initialization.OWN.withBias(0.01));
                var own = Model.create(net(), 1)) {
            for (float bias : model.tensor("0.bias").toArray()) {
                assertEquals(0.01f, bias);
            }
            for (float bias : model.tensor("4.bias").toArray()) {
                assertEquals(0.01f, bias);
            }
            for (String path : List.of("0.weight", "1.weight", "1.bias", "1.running_var", "4.weight")) {
                assertArrayEquals(own.tensor(path).toArray(), model.tensor(path).toArray(), path);
            }
        }
    }

    @Test
    void names_reach_weights_and_nothing_else() {
        try (var own = Model.create(net(), 1);
                var he = Model.create(net(), 1, Initialization.parse("he", Distribution.NORMAL));
                var zero = Model.create(net(), 1, Initialization.parse("constant=0", Distribution.NORMAL))) {
            own.tensors()
                    .forEach((path, tensor) -> assertArrayEquals(
                            tensor.toArray(), he.tensor(path).toArray(), "he is what layers ask for: " + path));
            assertArrayEquals(new float[1440], zero.tensor("4.weight").toArray());
            assertArrayEquals(new float[] {1, 1, 1, 1}, zero.tensor("1.weight").toArray());
        }
        var unknown = assertThrows(
                IllegalArgumentException.class, () -> Initialization.parse("kaiming", Distribution.NORMAL));
        assertSays(Exception.class, unknown, "'kaiming' is unknown; use he, xavier");
        for (String wrong : List.of("gaussian=x", "gaussian", "gaussian=-1", "he=2", "")) {
            assertThrows(IllegalArgumentException.class, () -> Initialization.parse(wrong, Distribution.NORMAL), wrong);
        }
        assertThrows(IllegalArgumentException.class, () -> Initialization.parse("orthogonal", Distribution.UNIFORM));
    }
}
