package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static dev.tarn.session.GradientTest.KINKS;
import static dev.tarn.session.GradientTest.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.graph.op.Pool2dOp;
import dev.tarn.nn.AdaptiveAvgPool2d;
import dev.tarn.nn.AvgPool2d;
import dev.tarn.nn.GlobalAvgPool2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Rows C15 and C16 of the methods: max, average and global pooling. */
class PoolTest {
    private static final int CHANNELS = 19;

    private static double[] normal(int count) {
        Rng rng = new Rng(4, Rng.Stream.DIGITS, 0);
        double[] x = new double[count];
        Arrays.setAll(x, i -> (float) rng.nextGaussian());
        return x;
    }

    @Test
    void c15_pooling_an_upsampled_image_is_the_identity_bitwise() {
        int size = 16;
        double[] x = normal(CHANNELS * size * size);
        double[] up = new double[4 * x.length];
        for (int i = 0; i < up.length; i++) {
            int column = i % (2 * size);
            int row = i / (2 * size); // of all channels: their rows lie one after the other
            up[i] = x[row / 2 * size + column / 2];
        }
        Shape input = Shape.of(1, CHANNELS, 2 * size, 2 * size);
        assertArrayEquals(x, Probe.infer(new MaxPool2d(2), DType.F32, input, up));
        assertArrayEquals(
                x, Probe.train(new MaxPool2d(2), DType.F32, 1, input, up).output());
    }

    @Test
    void c15_each_window_sends_its_whole_gradient_to_one_element() {
        Shape input = Shape.of(1, 3, 8, 6);
        double[] x = normal(3 * 8 * 6);
        Probe.Trained trained = Probe.train(new MaxPool2d(2), DType.F32, 1, input, x);
        double[] sent = trained.gradOutput();
        double[] received = trained.gradInput();
        assertEquals(
                Arrays.stream(sent).sum(),
                Arrays.stream(received).sum(),
                0x1p-23 * Arrays.stream(sent).map(Math::abs).sum());
        for (int y = 0; y < sent.length; y++) {
            int corner = y / 3 * 12 + y % 3 * 2;
            int[] window = {corner, corner + 1, corner + 6, corner + 7};
            assertEquals(1, Arrays.stream(window).filter(i -> received[i] != 0).count());
            assertEquals(
                    trained.output()[y],
                    Arrays.stream(window)
                            .filter(i -> received[i] != 0)
                            .mapToDouble(i -> x[i])
                            .sum());
        }
        check(KINKS, new MaxPool2d(window(2).stride(2).floor()));
    }

    @Test
    void c15_ties_go_to_the_first_and_nan_wins() {
        Shape input = Shape.of(1, 1, 2, 4);
        double[] x = {3, 3, 1, 2, 3, 3, 2, 2};
        assertArrayEquals(
                new double[] {3, 0, 0, 2, 0, 0, 0, 0},
                Probe.train(new MaxPool2d(2), DType.F32, 1, input, x).gradInput()); // 2 y / elements is y
        double[] nan = {1, 2, 3, Double.NaN, 4, 5, 9, 7};
        assertArrayEquals(new double[] {5, Double.NaN}, Probe.infer(new MaxPool2d(2), DType.F32, input, nan));
    }

    @Test
    void c15_an_odd_size_is_refused_unless_rounding_down_is_asked_for() {
        Shape odd = Shape.of(1, 1, 7, 7);
        double[] x = normal(49);
        var error = assertThrows(ShapeException.class, () -> Probe.infer(new MaxPool2d(2), DType.F32, odd, x));
        assertTrue(error.getMessage().contains("floor()"), error.getMessage());
        assertEquals(9, Probe.infer(new MaxPool2d(window(2).stride(2).floor()), DType.F32, odd, x).length);
    }

    @Test
    void c16_the_mean_of_a_constant_is_the_constant_bitwise() {
        Shape input = Shape.of(1, CHANNELS, 7, 5);
        double[] x = new double[CHANNELS * 35];
        Arrays.fill(x, 0.1f);
        for (Layer layer : new Layer[] {
            new AvgPool2d(window(3).stride(2).padding(1)), new AvgPool2d(window(2)), new GlobalAvgPool2d()
        }) {
            for (double y : Probe.infer(layer, DType.F32, input, x)) {
                assertEquals(0.1f, y);
            }
        }
        // A corner of a padded window has four of nine elements inside the image.
        var counted = new AvgPool2d(window(3).stride(2).padding(1), Pool2dOp.Padding.INCLUDED);
        assertEquals(0.1f * 4 / 9, Probe.infer(counted, DType.F32, input, x)[0], 0x1p-24);
    }

    @Test
    void c16_pooling_to_a_fixed_size_takes_equal_windows_or_none() {
        Shape input = Shape.of(2, CHANNELS, 6, 9);
        double[] x = normal(2 * CHANNELS * 54);
        assertArrayEquals(
                Probe.infer(new AvgPool2d(window(3).stride(3)), DType.F32, input, x),
                Probe.infer(new AdaptiveAvgPool2d(2, 3), DType.F32, input, x));
        assertThrows(ShapeException.class, () -> Probe.infer(new AdaptiveAvgPool2d(4, 3), DType.F32, input, x));
        assertThrows(IllegalArgumentException.class, () -> new AdaptiveAvgPool2d(0, 1));
    }

    /** Both sums in double, of so many terms: each is exact within gamma of its absolute terms. */
    @Test
    void c16_pooling_and_its_gradient_are_adjoint() {
        Shape input = Shape.of(1, 3, 7, 5);
        double[] x = normal(105);
        for (Layer layer : new Layer[] {
            new AvgPool2d(window(3).stride(2).padding(1)),
            new AvgPool2d(window(3).stride(2).padding(1), Pool2dOp.Padding.INCLUDED),
            new GlobalAvgPool2d()
        }) {
            Probe.Trained trained = Probe.train(layer, DType.F64, 1, input, x);
            double there = dot(trained.output(), trained.gradOutput());
            double terms = dot(Probe.map(x, Math::abs), Probe.map(trained.gradInput(), Math::abs));
            assertEquals(there, dot(x, trained.gradInput()), 2 * 105 * 0x1p-53 * (terms + there));
        }
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}
