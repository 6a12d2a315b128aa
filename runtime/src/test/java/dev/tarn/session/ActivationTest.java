package dev.tarn.session;

import static dev.tarn.session.GradientTest.KINKS;
import static dev.tarn.session.GradientTest.SMOOTH;
import static dev.tarn.session.GradientTest.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.ELU;
import dev.tarn.nn.Layer;
import dev.tarn.nn.LeakyReLU;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Maxout;
import dev.tarn.nn.PReLU;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.SELU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Sigmoid;
import dev.tarn.nn.Swish;
import dev.tarn.nn.Tanh;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.util.function.DoubleUnaryOperator;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Section 3 of the methods: values, identities and gradients of activations, alone and fused. */
class ActivationTest {
    private static final double U = 0x1p-24;

    /** What an inference session makes of rows of numbers. */
    private static double[] run(Layer layer, DType dtype, double... x) {
        Shape shape = Shape.of(1, x.length);
        try (var memory = OwnedMemory.open("x");
                Model model = Model.create(layer, 1, dtype);
                var session = model.inference(shape)) {
            Tensor input = Tensor.view(memory.allocate(x.length * dtype.byteSize()), dtype, shape, Layout.ROW_MAJOR);
            int[] i = {0};
            input.fill(() -> x[i[0]++]);
            Tensor y = session.run(input);
            double[] result = new double[(int) y.shape().elementCount()];
            for (int j = 0; j < result.length; j++) {
                result[j] = dtype.get(y.data(), j);
            }
            return result;
        }
    }

    private static double[] f64(Layer layer, double... x) {
        return run(layer, DType.F64, x);
    }

    private static double[] f32(Layer layer, double... x) {
        return run(layer, DType.F32, x);
    }

    private static double[] numbers(double low, double high) {
        Rng rng = new Rng(7, Rng.Stream.DIGITS, 0);
        double[] x = new double[1000];
        for (int i = 0; i < x.length; i++) {
            x[i] = (float) (low + (high - low) * rng.nextDouble());
        }
        return x;
    }

    private static double[] map(double[] x, DoubleUnaryOperator f) {
        return java.util.Arrays.stream(x).map(f).toArray();
    }

    @Test
    void a1_sigmoid_is_stable_on_both_sides() {
        assertArrayEquals(
                new double[] {4.53978687024344e-5, 0.5, 0.999954602131298}, f64(new Sigmoid(), -10, 0, 10), 1e-15);
        assertArrayEquals(new double[] {0, 1}, f32(new Sigmoid(), -1e4, 1e4));
        double[] x = numbers(-20, 20);
        double[] minus = f64(new Sigmoid(), map(x, v -> -v));
        double[] plus = f64(new Sigmoid(), x);
        for (int i = 0; i < x.length; i++) {
            assertEquals(1 - plus[i], minus[i], 2e-16);
        }
        for (double s : f64(new Sigmoid(), -10, 10)) {
            assertEquals(4.53958e-5, s * (1 - s), 1e-10);
        }
    }

    @Test
    void a1_sigmoid_gradient() {
        check(SMOOTH, new Sigmoid());
    }

    @Test
    void a5_tanh_is_odd_and_a_stretched_sigmoid() {
        double[] x = numbers(-12, 12);
        assertArrayEquals(map(f32(new Tanh(), x), y -> -y), f32(new Tanh(), map(x, v -> -v)), 0);
        assertArrayEquals(f64(new Tanh(), x), map(f64(new Sigmoid(), map(x, v -> 2 * v)), s -> 2 * s - 1), 1e-15);
        check(SMOOTH, new Tanh());
    }

    @Test
    void a6_relu_passes_nan_and_is_idempotent() {
        assertArrayEquals(new double[] {0, 0, 10, Double.NaN}, f32(new ReLU(), -10, 0, 10, Double.NaN));
        double[] x = numbers(-3, 3);
        assertArrayEquals(f32(new ReLU(), x), f32(new Sequential(new ReLU(), new ReLU()), x), 0);
    }

    @Test
    void a8_leaky_relu_of_slope_0_is_relu() {
        double[] x = numbers(-3, 3);
        assertArrayEquals(f32(new ReLU(), x), map(f32(new LeakyReLU(0), x), y -> y + 0.0), 0);
        assertArrayEquals(new double[] {-0.01f, 2}, f32(new LeakyReLU(), -1, 2));
        String message = assertThrows(IllegalArgumentException.class, () -> new LeakyReLU(1))
                .getMessage();
        assertTrue(message.contains("[0, 1)"), message);
        assertThrows(IllegalArgumentException.class, () -> new LeakyReLU(-0.1));
        check(KINKS, new LeakyReLU(0.1));
    }

    @Test
    void a9_prelu_learns_its_slopes() {
        double[] x = numbers(-3, 3);
        assertArrayEquals(x, f32(new PReLU(1, 1), x), 0);
        check(KINKS, new PReLU());
        check(KINKS, new PReLU(4));
        Layer wrong = new PReLU(3);
        assertThrows(ShapeException.class, () -> f32(wrong, 1, 2));
    }

    @Test
    void a10_elu_tends_to_minus_alpha_without_cancellation() {
        assertArrayEquals(new double[] {-2, -2, 3}, f32(new ELU(2), -1e4, -Double.MAX_VALUE, 3));
        double y = f32(new ELU(), -1e-6f)[0];
        assertEquals(1, y / Math.expm1(-1e-6f), 1e-6);
        double h = 1e-7;
        double[] sides = f64(new ELU(), -h, h);
        assertEquals(sides[1] / h, -sides[0] / h, 1e-6); // one-sided derivatives agree for alpha 1
        check(SMOOTH, new ELU());
        check(KINKS, new ELU(0.5));
    }

    /** Mean and variance of f(x) for standard normal x: Simpson's rule over [-12, 12]. */
    private static double[] moments(DoubleUnaryOperator f) {
        int intervals = 24_000;
        double h = 24.0 / intervals;
        double mean = 0;
        double square = 0;
        for (int i = 0; i <= intervals; i++) {
            double x = -12 + i * h;
            double weight = (i == 0 || i == intervals ? 1 : i % 2 == 1 ? 4 : 2) * h / 3;
            double density = weight * Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
            mean += density * f.applyAsDouble(x);
            square += density * f.applyAsDouble(x) * f.applyAsDouble(x);
        }
        return new double[] {mean, square - mean * mean};
    }

    @Test
    void a11_selu_keeps_mean_0_and_variance_1() {
        double[] sides = f64(new SELU(), 1, -Double.MAX_VALUE);
        double scale = sides[0];
        double alpha = -sides[1] / scale;
        double[] exact = moments(x -> x > 0 ? scale * x : scale * alpha * Math.expm1(x));
        assertEquals(0, exact[0], 1e-10);
        assertEquals(1, exact[1], 1e-10);
        double[] rounded = moments(x -> x > 0 ? 1.0507 * x : 1.0507 * 1.6733 * Math.expm1(x));
        assertEquals(-9.2e-6, rounded[0], 1e-7);
        assertEquals(1.0000178, rounded[1], 1e-7);
        check(KINKS, new SELU());
    }

    @Test
    void a12_swish_lies_between_half_of_x_and_relu() {
        double[] x = numbers(-3, 3);
        assertArrayEquals(map(x, v -> v / 2), f32(new Swish(0), x), 0);
        assertArrayEquals(f32(new ReLU(), x), f32(new Swish(1e4), x), 1e-4);
        check(SMOOTH, new Swish());
        check(SMOOTH, new Swish(0.5));
        check(SMOOTH, Swish.learned(1));
        check(SMOOTH, Swish.learned(4));
    }

    /** A linear layer of two pieces: w1 and w2 of a number, no bias. */
    private static double[] maxoutOf(double first, double second, double[] x) {
        double[] y = new double[x.length];
        for (int i = 0; i < x.length; i++) {
            y[i] = f32(new Maxout(2), (float) (first * x[i]), (float) (second * x[i]))[0];
        }
        return y;
    }

    @Test
    void a13_maxout_of_two_pieces_is_relu_or_leaky_relu() {
        double[] x = java.util.Arrays.copyOf(numbers(-3, 3), 20);
        assertArrayEquals(f32(new ReLU(), x), map(maxoutOf(0, 1, x), y -> y + 0.0), 0);
        assertArrayEquals(f32(new LeakyReLU(0.25), x), maxoutOf(0.25, 1, x), 0);
    }

    @Test
    void a13_maxout_doubles_parameters_and_takes_groups_of_channels() {
        var pieces = new Linear(5, 2 * 3);
        long parameters = pieces.parametersByPath().values().stream()
                .mapToLong(p -> p.shape().elementCount())
                .sum();
        assertEquals(2 * (5 * 3 + 3), parameters);
        assertArrayEquals(new double[] {4, 2, 5}, f32(new Maxout(2), 1, 2, 3, 4, 0, 5));
        assertThrows(ShapeException.class, () -> f32(new Maxout(2), 1, 2, 3));
        check(KINKS, new Conv2d(4, 9, dev.tarn.graph.Window.window(1)), new Maxout(3));
    }

    /** Fused into a convolution, a linear layer or a normalisation, and not fused: within a rounding of each other. */
    @Test
    void fused_activations_agree_with_those_that_are_not() {
        for (Supplier<Layer> activation : java.util.List.<Supplier<Layer>>of(
                Sigmoid::new, Tanh::new, LeakyReLU::new, ELU::new, SELU::new, Swish::new)) {
            for (boolean norm : new boolean[] {false, true}) {
                Shape shape = Shape.of(2, 3, 9, 9);
                double[][] results = new double[2][];
                for (int fused = 0; fused < 2; fused++) {
                    Layer layer = norm
                            ? new Sequential(
                                    new Conv2d(3, 17, dev.tarn.graph.Window.window(3)),
                                    new BatchNorm2d(17),
                                    activation.get())
                            : new Sequential(new Conv2d(3, 17, dev.tarn.graph.Window.window(3)), activation.get());
                    SessionOptions options = SessionOptions.DEFAULT;
                    options = fused == 1 ? options : options.withoutRewrites("fuse-activation");
                    try (var memory = OwnedMemory.open("x");
                            Model model = Model.create(layer, 1);
                            var session = model.inference(shape, options)) {
                        Tensor y = session.run(
                                Batches.labelled(memory, DType.F32, shape, 2, 5).images());
                        results[fused] = new double[(int) y.shape().elementCount()];
                        for (int i = 0; i < results[fused].length; i++) {
                            results[fused][i] = DType.F32.get(y.data(), i);
                        }
                    }
                }
                for (int i = 0; i < results[0].length; i++) {
                    // the sum before it is the same; a reciprocal may be taken of another vector width
                    assertEquals(results[0][i], results[1][i], 8 * U * Math.max(1, Math.abs(results[0][i])));
                }
            }
        }
    }

    @Test
    void smooth_activations_train_after_normalisation() {
        check(SMOOTH, new BatchNorm2d(4), new Tanh());
        check(SMOOTH, new BatchNorm2d(4), new Sigmoid());
        check(SMOOTH, new BatchNorm2d(4), new Swish());
        check(KINKS, new BatchNorm2d(4), new LeakyReLU());
    }
}
