package dev.tarn.session;

import static dev.tarn.session.GradientTest.KINKS;
import static dev.tarn.session.GradientTest.SMOOTH;
import static dev.tarn.session.GradientTest.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.Messages;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.GroupNorm;
import dev.tarn.nn.InstanceNorm2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.LayerNorm;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Tanh;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Section 7 of the methods, normalisation of each example by itself. */
class GroupNormTest {
    private static final double U = 0x1p-24;
    private static final double EPS = 1e-5;
    private static final Shape IMAGES = Shape.of(5, 12, 7, 6);
    private static final int PIXELS = 42;
    private static final double[] X = Runs.normal(IMAGES.elementCount(), 2);

    private static Model model(Layer layer) {
        Model model = Model.create(layer, 1);
        double[] numbers = Runs.normal(model.parameterCount(), 3);
        int half = numbers.length / 2;
        model.tensor("weight").copyFrom(Arrays.copyOf(numbers, half));
        model.tensor("bias").copyFrom(Arrays.copyOfRange(numbers, half, 2 * half));
        return model;
    }

    /** Normalises runs of {@code count} neighbours, in double: groups of whole channels are such runs in logical order. */
    private static double[] byHand(double[] x, int count, Model model, int pixels) {
        double[] y = new double[x.length];
        long channels = model.tensor("weight").shape().size(0);
        for (int first = 0; first < x.length; first += count) {
            double mean = Arrays.stream(x, first, first + count).sum() / count;
            double var = Arrays.stream(x, first, first + count)
                            .map(v -> (v - mean) * (v - mean))
                            .sum()
                    / count;
            for (int i = first; i < first + count; i++) {
                long c = i / pixels % channels;
                y[i] = (x[i] - mean)
                                / Math.sqrt(var + EPS)
                                * model.tensor("weight").get(c)
                        + model.tensor("bias").get(c);
            }
        }
        return y;
    }

    /** Values and deviations of X are below 6, weights and deviations' inverses too. */
    private static void assertClose(double[] want, double[] got) {
        for (int i = 0; i < want.length; i++) {
            assertEquals(want[i], got[i], 6 * U * (36 + Math.abs(want[i])));
        }
    }

    private static void assertSameInBothModes(Layer layer, Shape shape, double[] x) {
        try (Model model = model(layer)) {
            assertArrayEquals(Runs.training(model, shape, x), Runs.inference(model, shape, x));
        }
    }

    @Test
    void n9_layer_normalisation_is_the_textbook_s_and_the_same_in_both_modes() {
        Shape rows = Shape.of(9, 67);
        double[] x = Runs.normal(rows.elementCount(), 4);
        try (Model model = model(new LayerNorm(67))) {
            assertClose(byHand(x, 67, model, 1), Runs.inference(model, rows, x));
        }
        assertSameInBothModes(new LayerNorm(67), rows, x);
        assertSameInBothModes(new LayerNorm(12), IMAGES, X);
    }

    @Test
    void n9_a_constant_added_to_a_row_changes_nothing() {
        Shape rows = Shape.of(2, 50);
        double[] x = Arrays.stream(Runs.normal(100, 5))
                .map(v -> Math.rint(v * 256) / 256)
                .toArray(); // so that the sum is exact
        double[] shifted = Arrays.stream(x).map(v -> v + 64).toArray();
        try (Model model = model(new LayerNorm(50))) {
            double[] y = Runs.inference(model, rows, x);
            double[] z = Runs.inference(model, rows, shifted);
            for (int i = 0; i < y.length; i++) { // the mean is rounded to a float, the rest as ever
                double scale = Math.abs(model.tensor("weight").get(i % 50)) * 1.5;
                assertEquals(y[i], z[i], U * scale * 64 + 12 * U * (scale * 6 + Math.abs(y[i])));
            }
        }
    }

    @Test
    void n10_instance_normalisation_is_the_same_in_both_modes_and_that_of_as_many_groups_as_channels() {
        assertSameInBothModes(new InstanceNorm2d(12), IMAGES, X);
        try (Model instance = model(new InstanceNorm2d(12));
                Model groups = model(new GroupNorm(12, 12))) {
            double[] y = Runs.inference(instance, IMAGES, X);
            assertArrayEquals(Runs.inference(groups, IMAGES, X), y);
            assertClose(byHand(X, PIXELS, instance, PIXELS), y);
        }
    }

    @Test
    void n11_one_group_is_layer_normalisation_and_three_are_by_hand() {
        try (Model layer = model(new LayerNorm(12));
                Model one = model(new GroupNorm(1, 12));
                Model three = model(new GroupNorm(3, 12))) {
            double[] y = Runs.inference(layer, IMAGES, X);
            assertArrayEquals(Runs.inference(one, IMAGES, X), y);
            assertClose(byHand(X, 12 * PIXELS, layer, PIXELS), y);
            assertClose(byHand(X, 4 * PIXELS, three, PIXELS), Runs.inference(three, IMAGES, X));
        }
        assertSameInBothModes(new GroupNorm(3, 12), IMAGES, X);
    }

    @Test
    void n11_groups_that_do_not_divide_the_channels_are_refused_with_what_fits() {
        var e = assertThrows(IllegalArgumentException.class, () -> new GroupNorm(4, 18));
        Messages.assertSays(
                IllegalArgumentException.class,
                e,
                "18 channels",
                "4 groups",
                "18 / 4 = 4.50",
                "3 or 6 groups",
                "16 or 20 channels");
        for (long[] fits : new long[][] {{3, 18}, {6, 18}, {4, 16}, {4, 20}}) {
            new GroupNorm(fits[0], fits[1]);
        }
        assertThrows(IllegalArgumentException.class, () -> new GroupNorm(0, 4));
        assertThrows(IllegalArgumentException.class, () -> new GroupNorm(8, 4));
        assertThrows(IllegalArgumentException.class, () -> new LayerNorm(4, 0));
        try (Model model = model(new GroupNorm(2, 4))) {
            var shape = assertThrows(ShapeException.class, () -> model.inference(IMAGES));
            Messages.assertSays(ShapeException.class, shape, "GroupNorm", "4 channels");
        }
    }

    @Test
    void n11_an_image_has_the_same_bits_alone_in_any_batch_and_at_any_number_of_threads() {
        Shape shape = Shape.of(5, 72, 31, 17); // slices of an image, and more than one task
        double[] x = Runs.normal(shape.elementCount(), 6);
        int image = x.length / 5;
        try (Model model = model(new GroupNorm(36, 72));
                var memory = OwnedMemory.open("x")) {
            double[] all = Runs.inference(model, shape, x);
            var images = Runs.tensor(memory, model, shape, x);
            try (var session = model.inference(shape, SessionOptions.DEFAULT.withThreads(3))) {
                assertArrayEquals(all, session.run(images).toDoubleArray());
                assertArrayEquals(
                        Arrays.copyOf(all, 2 * image),
                        session.run(images.prefix(2)).toDoubleArray());
            }
            for (int i = 0; i < 5; i++) {
                double[] alone = Arrays.copyOfRange(x, i * image, (i + 1) * image);
                assertArrayEquals(
                        Arrays.copyOfRange(all, i * image, (i + 1) * image),
                        Runs.inference(model, Shape.of(1, 72, 31, 17), alone));
            }
        }
    }

    @Test
    void n11_training_has_the_same_bits_at_any_number_of_threads_and_allocates_what_is_planned() {
        Shape shape = Shape.of(6, 72, 31, 17);
        double[] one = gradients(shape, 1);
        assertArrayEquals(one, gradients(shape, 2));
        assertArrayEquals(one, gradients(shape, 3));
    }

    private static double[] gradients(Shape shape, int threads) {
        long before = MemoryAccount.current();
        try (Model model = model(new GroupNorm(9, 72));
                var memory = OwnedMemory.open("x")) {
            long own = MemoryAccount.current();
            var batch = Batches.regression(memory, DType.F32, shape, shape, 8);
            long batches = MemoryAccount.current() - own;
            var options = SessionOptions.DEFAULT.withThreads(threads);
            try (var session = model.training(shape, new MSELoss(), new SGD(), options)) {
                session.forward(batch);
                session.backward();
                assertEquals(own + batches + session.memory().byteSize(), MemoryAccount.current());
                return session.gradient("weight").toDoubleArray();
            }
        } finally {
            assertEquals(before, MemoryAccount.current());
        }
    }

    @Test
    void n11_an_activation_is_applied_by_the_normalisation_before_it() {
        Layer layer = new Sequential(new GroupNorm(3, 12), new ReLU());
        try (Model model = Model.create(layer, 1);
                var fused = model.inference(IMAGES);
                var plain = model.inference(IMAGES, SessionOptions.DEFAULT.withoutRewrites("fuse-activation"));
                var memory = OwnedMemory.open("x")) {
            var images = Runs.tensor(memory, model, IMAGES, X);
            assertArrayEquals(plain.run(images).toArray(), fused.run(images).toArray());
            assertEquals(
                    plain.memory().buffers().size() - 1,
                    fused.memory().buffers().size());
        }
    }

    @Test
    void k1_gradients_of_normalisations_of_examples() {
        check(SMOOTH, new GroupNorm(2, 4));
        check(SMOOTH, new LayerNorm(4), new Tanh());
        check(SMOOTH, new InstanceNorm2d(4));
        check(KINKS, new GroupNorm(2, 4), new ReLU());
    }

    @Test
    void k1_gradients_of_layer_normalisation_of_rows() {
        Layer rows =
                new Sequential(new Flatten(), new Linear(24, 10), new LayerNorm(10), new Tanh(), new Linear(10, 3));
        try (var memory = OwnedMemory.open("batch")) {
            var batch = Batches.labelled(memory, DType.F64, Shape.of(4, 2, 3, 4), 3, 5);
            double error =
                    GradientCheck.of(rows, new CrossEntropyLoss(), batch, 3).worstError();
            assertEquals(0, error, SMOOTH);
        }
    }
}
