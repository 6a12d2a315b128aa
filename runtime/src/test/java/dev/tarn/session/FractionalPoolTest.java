package dev.tarn.session;

import static dev.tarn.session.GradientTest.KINKS;
import static dev.tarn.session.GradientTest.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.data.Batch;
import dev.tarn.graph.op.FractionalPool2dOp.Regions;
import dev.tarn.graph.op.FractionalPool2dOp.Steps;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.FractionalMaxPool2d;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Row G14 of the methods: pooling by a ratio between 1 and 2. */
class FractionalPoolTest {
    private static double[] normal(int count) {
        Rng rng = new Rng(9, Rng.Stream.DIGITS, 0);
        double[] x = new double[count];
        Arrays.setAll(x, i -> (float) rng.nextGaussian());
        return x;
    }

    private static double[] ramp(int size) {
        double[] x = new double[size * size];
        Arrays.setAll(x, i -> i / size + i % size);
        return x;
    }

    /** Pooling x + y gives the last row plus the last column of each window, from which its steps can be read. */
    private static int[] steps(FractionalMaxPool2d layer, long seed, int size, int windows) {
        double[] y = Probe.train(layer, DType.F32, seed, Shape.of(1, 1, size, size), ramp(size))
                .output();
        assertEquals(windows * windows, y.length);
        assertEquals(2 * (size - 1), y[y.length - 1], "the last window ends with the image");
        int[] steps = new int[windows];
        for (int i = 1; i < windows; i++) {
            steps[i] = (int) (y[i] - y[i - 1]); // along the first line of windows
        }
        steps[0] = size - Arrays.stream(steps).sum();
        return steps;
    }

    @Test
    void g14_steps_are_ones_and_twos_and_add_up_to_the_extent() {
        for (Steps kind : Steps.values()) {
            for (int seed = 0; seed < 20; seed++) {
                var layer = new FractionalMaxPool2d(Math.sqrt(2), kind, Regions.DISJOINT);
                for (int step : steps(layer, seed, 25, 17)) {
                    assertEquals(1.5, step, 0.5);
                }
            }
        }
    }

    @Test
    void g14_ratio_2_equals_plain_pooling_bitwise() {
        Shape input = Shape.of(1, 5, 8, 6);
        double[] x = normal(5 * 8 * 6);
        for (Steps kind : Steps.values()) {
            var layer = new FractionalMaxPool2d(2, kind, Regions.DISJOINT);
            Probe.Trained plain = Probe.train(new MaxPool2d(2), DType.F32, 1, input, x);
            Probe.Trained trained = Probe.train(layer, DType.F32, 1, input, x);
            assertArrayEquals(plain.output(), trained.output());
            assertArrayEquals(plain.gradInput(), trained.gradInput());
        }
        assertArrayEquals(
                Probe.infer(new MaxPool2d(2), DType.F32, input, x),
                Probe.infer(new FractionalMaxPool2d(2), DType.F32, input, x));
    }

    @Test
    void g14_inference_steps_evenly() {
        Shape input = Shape.of(1, 1, 1, 7); // floor(7 / 1.5) = 4 windows, from 0, 1, 3 and 5 on
        double[] x = {9, 1, 2, 3, 4, 5, 6};
        assertArrayEquals(new double[] {9, 2, 4, 6}, Probe.infer(new FractionalMaxPool2d(1.5), DType.F32, input, x));
        var overlapping = new FractionalMaxPool2d(1.5, Steps.RANDOM, Regions.OVERLAPPING);
        assertArrayEquals(new double[] {9, 3, 5, 6}, Probe.infer(overlapping, DType.F32, input, x));
    }

    /** The windows of a step are a function of the seed and the step alone. */
    @Test
    void g14_each_step_of_training_draws_anew_and_can_be_repeated() {
        Shape input = Shape.of(3, 2, 25, 25);
        double[][] runs = new double[2][];
        for (int run = 0; run < 2; run++) {
            var net = new Sequential(new FractionalMaxPool2d(1.5), new Flatten(), new Linear(2 * 16 * 16, 3));
            try (var memory = OwnedMemory.open("batch");
                    Model model = Model.create(net, 8);
                    var session = model.training(input, new CrossEntropyLoss(), new SGD())) {
                Batch batch = Batches.labelled(memory, DType.F32, input, 3, 2);
                double first = session.forward(batch);
                double again = session.forward(batch);
                assertEquals(first, again);
                session.backward();
                session.update(0); // the weights stay, the step moves on
                double next = session.forward(batch);
                assertFalse(first == next, "the same windows in both steps");
                runs[run] = new double[] {first, next};
            }
        }
        assertArrayEquals(runs[0], runs[1]);
    }

    @Test
    void g14_gradients() {
        for (Regions regions : Regions.values()) {
            check(KINKS, new FractionalMaxPool2d(1.4, Steps.RANDOM, regions));
            check(KINKS, new FractionalMaxPool2d(1.7, Steps.PSEUDO_RANDOM, regions));
        }
    }

    @Test
    void g14_ratios_outside_their_range_are_refused() {
        for (double ratio : new double[] {1, 0.5, 2.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> new FractionalMaxPool2d(ratio));
        }
    }
}
