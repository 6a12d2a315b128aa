package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static dev.tarn.session.GradientTest.SMOOTH;
import static dev.tarn.session.GradientTest.check;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.op.DropoutOp;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.SELU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.init.He;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Philox;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Dropout in its three forms: rows G5 to G9 of the methods, and alpha dropout beside A11. */
class DropoutTest {
    private static final long SEED = 11;
    private static final int COUNT = 100_000;
    private static final int IN = 10;
    private static final int MASKS = 1 << IN;
    private static final Shape ROW = Shape.of(1, COUNT);

    private static double[] normal(int count) {
        Rng rng = new Rng(3, Rng.Stream.DIGITS, 0);
        double[] x = new double[count];
        Arrays.setAll(x, i -> (float) rng.nextGaussian());
        return x;
    }

    private static double[] rounded(double factor, double[] x) {
        return Probe.map(x, v -> (float) factor * (float) v);
    }

    /** Which elements the first dropout of a model keeps at step 0, drawn again. */
    private static boolean[] kept(double keep, int count) {
        boolean[] kept = new boolean[count];
        int[] words = new int[4];
        for (int i = 0; i < count; i++) {
            Philox.words(SEED, 0, 0, i / 4, words);
            kept[i] = (words[i % 4] >>> 8) * 0x1p-24 < keep;
        }
        return kept;
    }

    private static void assertShareIsBinomial(double keep, double[] y) {
        long kept = Arrays.stream(y).filter(v -> v != 0).count();
        assertEquals(keep * y.length, kept, 5 * Math.sqrt(y.length * keep * (1 - keep)));
    }

    @Test
    void g5_vanilla_evaluation_multiplies_by_keep_bitwise() {
        double[] x = normal(1000);
        for (double keep : new double[] {0.1, 0.5, 0.8, 1}) {
            double[] y = Probe.infer(Dropout.keep(keep).vanilla(), DType.F32, Shape.of(1, 1000), x);
            assertArrayEquals(rounded(keep, x), y, 0);
        }
        Shape images = Shape.of(2, 3, 5, 5);
        double[] pixels = normal(150);
        double[] without = Probe.infer(new Conv2d(3, 17, window(3)), DType.F32, images, pixels);
        Layer fused =
                new Sequential(new Conv2d(3, 17, window(3)), Dropout.keep(0.3).vanilla());
        assertArrayEquals(rounded(0.3, without), Probe.infer(fused, DType.F32, images, pixels), 0);
    }

    @Test
    void g5_vanilla_training_masks_a_binomial_share() {
        double[] x = normal(COUNT);
        double[] y = Probe.train(Dropout.keep(0.3).vanilla(), DType.F32, SEED, ROW, x)
                .output();
        boolean[] kept = kept(0.3, COUNT);
        for (int i = 0; i < COUNT; i++) {
            assertEquals(kept[i] ? x[i] : 0, y[i]);
        }
        assertShareIsBinomial(0.3, y);
    }

    @Test
    void g6_inverted_training_gives_zero_or_x_over_keep() {
        double[] x = normal(COUNT);
        double[] y = Probe.train(Dropout.drop(0.2), DType.F32, SEED, ROW, x).output();
        double[] scaled = rounded(1 / (1 - 0.2), x);
        boolean[] kept = kept(1 - 0.2, COUNT);
        for (int i = 0; i < COUNT; i++) {
            assertEquals(kept[i] ? scaled[i] : 0, y[i]);
        }
        assertShareIsBinomial(1 - 0.2, y);
    }

    /** Over all masks, each with its probability: on average both forms are what inference computes. */
    @Test
    void g7_both_forms_have_the_expectation_of_inference() {
        double keep = 0.3;
        double[] inverted = linearOf(new Sequential(Dropout.keep(keep), new Linear(IN, 2)), "1.weight");
        double[] vanilla = linearOf(new Sequential(Dropout.keep(keep).vanilla(), new Linear(IN, 2)), "1.weight");
        assertArrayEquals(inverted, meanOverMasks(keep, 1 / keep), 1e-6);
        assertArrayEquals(vanilla, meanOverMasks(keep, 1), 1e-6);
    }

    /** Mean of a linear layer's outputs over all masks of its inputs, of which those that are kept are scaled. */
    private static double[] meanOverMasks(double keep, double scale) {
        double[] x = normal(IN);
        double[] masked = new double[MASKS * IN];
        for (int m = 0; m < MASKS; m++) {
            for (int i = 0; i < IN; i++) {
                masked[m * IN + i] = (m >> i & 1) * scale * x[i];
            }
        }
        double[] y = Probe.infer(new Linear(IN, 2), DType.F64, Shape.of(MASKS, IN), masked);
        double[] mean = new double[2];
        for (int m = 0; m < MASKS; m++) {
            int ones = Integer.bitCount(m);
            double probability = Math.pow(keep, ones) * Math.pow(1 - keep, IN - ones);
            mean[0] += probability * y[2 * m];
            mean[1] += probability * y[2 * m + 1];
        }
        return mean;
    }

    /** What inference makes of the same input with the weights of that linear layer alone. */
    private static double[] linearOf(Layer layer, String weight) {
        Shape row = Shape.of(1, IN);
        try (var memory = OwnedMemory.open("x");
                Model alone = Model.create(new Linear(IN, 2), 1, DType.F64);
                Model model = Model.create(layer, 1, DType.F64);
                var session = model.inference(row)) {
            model.exclusively(() -> model.tensor(weight).copyFrom(alone.tensor("weight")));
            return session.run(Probe.tensor(memory, DType.F64, row, normal(IN))).toDoubleArray();
        }
    }

    @Test
    void g8_the_gradient_is_zero_exactly_where_masked_and_masks_can_be_drawn_again() {
        double[] x = normal(COUNT);
        for (Dropout form : new Dropout[] {
            Dropout.keep(0.6), Dropout.keep(0.6).vanilla(), Dropout.keep(0.6).alpha()
        }) {
            Probe.Trained trained = Probe.train(form, DType.F32, SEED, ROW, x);
            boolean[] kept = kept(0.6, COUNT);
            for (int i = 0; i < COUNT; i++) {
                assertEquals(kept[i], trained.gradInput()[i] != 0, "element " + i);
            }
        }
    }

    @Test
    void g9_dropout_may_come_first() {
        Layer layer = new Sequential(Dropout.keep(0.8), new Linear(6, 4, Bias.LEARNED, He.normal()), new Linear(4, 3));
        try (var memory = OwnedMemory.open("batch")) {
            Batch batch = Batches.labelled(memory, DType.F64, Shape.of(5, 6), 3, 2);
            var report = GradientCheck.of(layer, new CrossEntropyLoss(), batch, 3);
            assertTrue(report.worstError() < SMOOTH, report.toString());
        }
    }

    @Test
    void k1_all_forms_with_their_masks_frozen() {
        check(SMOOTH, Dropout.keep(0.7).vanilla());
        check(SMOOTH, Dropout.keep(0.7).alpha());
    }

    /** Exactly in expectation, and of what is drawn within five standard deviations. */
    @Test
    void a11_alpha_dropout_keeps_mean_0_and_variance_1() {
        for (double keep : new double[] {0.05, 0.5, 0.9, 1}) {
            var graph = new Graph(Graph.Mode.TRAINING, DType.F64, 0, Parameter::name);
            DropoutOp op = DropoutOp.alpha(keep, graph);
            double mean = keep * op.shift() + (1 - keep) * op.dropped();
            double square = keep * (op.scale() * op.scale() + op.shift() * op.shift())
                    + (1 - keep) * op.dropped() * op.dropped();
            assertEquals(0, mean, 1e-14);
            assertEquals(1, square, 1e-14);
        }
        double[] y = Probe.train(Dropout.keep(0.9).alpha(), DType.F64, SEED, ROW, normal(COUNT))
                .output();
        double mean = Arrays.stream(y).average().orElseThrow();
        double[] squares = Probe.map(y, v -> v * v);
        double square = Arrays.stream(squares).average().orElseThrow();
        double fourth = Arrays.stream(squares).map(v -> v * v).average().orElseThrow();
        assertEquals(0, mean, 5 / Math.sqrt(COUNT));
        assertEquals(1, square, 5 * Math.sqrt((fourth - 1) / COUNT));
        Shape row = Shape.of(1, 100);
        Layer net = new Sequential(new SELU(), Dropout.keep(0.9).alpha());
        assertArrayEquals(
                Probe.infer(new SELU(), DType.F32, row, normal(100)), Probe.infer(net, DType.F32, row, normal(100)));
    }

    @Test
    void probabilities_outside_their_range_are_refused() {
        for (double keep : new double[] {0, -0.1, 1.1, Double.NaN}) {
            assertThrows(IllegalArgumentException.class, () -> Dropout.keep(keep));
        }
        assertThrows(IllegalArgumentException.class, () -> Dropout.drop(1));
    }
}
