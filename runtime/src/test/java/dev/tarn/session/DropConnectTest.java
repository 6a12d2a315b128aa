package dev.tarn.session;

import static dev.tarn.session.GradientTest.SMOOTH;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Value;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.DropConnect;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Tanh;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Philox;
import dev.tarn.tensor.Shape;
import org.junit.jupiter.api.Test;

/** Row G12 of the methods: weights that are dropped. */
class DropConnectTest {
    private static final int IN = 13;
    private static final int OUT = 5;
    private static final Shape INPUT = Shape.of(4, IN);

    /** Output, gradient of the weight and gradient of the bias of a training step, then what inference gives. */
    private static double[][] numbers(Layer layer, DType dtype, int backwardPasses) {
        try (var memory = OwnedMemory.open("batch");
                Model model = Model.create(layer, 6, dtype);
                var session = model.training(INPUT, new CrossEntropyLoss(), new SGD());
                var inference = model.inference(INPUT)) {
            Batch batch = Batches.labelled(memory, dtype, INPUT, OUT, 3);
            for (int i = 0; i < backwardPasses; i++) {
                session.forward(batch);
                session.backward();
            }
            return new double[][] {
                session.output(4).toDoubleArray(),
                session.gradient("weight").toDoubleArray(),
                session.gradient("bias").toDoubleArray(),
                inference.run(batch).toDoubleArray()
            };
        }
    }

    @Test
    void g12_keep_1_is_the_linear_layer_bitwise() {
        double[][] linear = numbers(new Linear(IN, OUT), DType.F32, 1);
        double[][] masked = numbers(DropConnect.keep(1, IN, OUT), DType.F32, 1);
        for (int i = 0; i < linear.length; i++) {
            assertArrayEquals(linear[i], masked[i]);
        }
    }

    @Test
    void g12_inference_is_keep_times_w_x() {
        double[] linear = numbers(new Linear(IN, OUT), DType.F64, 1)[3];
        double[] masked = numbers(DropConnect.drop(0.25, IN, OUT), DType.F64, 1)[3];
        assertArrayEquals(Probe.map(linear, y -> 0.75 * y), masked, 1e-12);
    }

    /** k masks of variance v: their mean lies within 5 sqrt(v / k). */
    @Test
    void g12_the_mean_over_masks_tends_to_inference() {
        double keep = 0.6;
        int passes = 4000;
        try (var memory = OwnedMemory.open("batch");
                Model model = Model.create(DropConnect.keep(keep, IN, OUT), 6);
                var inference = model.inference(INPUT);
                var session = model.monteCarlo(INPUT, passes, MonteCarloSession.Of.OUTPUTS, SessionOptions.DEFAULT)) {
            Batch batch = Batches.labelled(memory, DType.F32, INPUT, OUT, 3);
            double[] x = batch.images().toDoubleArray();
            double[] w = model.tensor("weight").toDoubleArray();
            double[] expected = inference.run(batch).toDoubleArray();
            double[] mean = session.run(batch).mean().toDoubleArray();
            for (int y = 0; y < mean.length; y++) {
                double variance = 0;
                for (int i = 0; i < IN; i++) {
                    variance += Math.pow(w[y % OUT * IN + i] * x[y / OUT * IN + i], 2) * keep * (1 - keep);
                }
                assertEquals(expected[y], mean[y], 5 * Math.sqrt(variance / passes));
            }
        }
    }

    @Test
    void g12_dropped_weights_get_no_gradient_and_gradients_accumulate() {
        double keep = 0.5;
        double[][] once = numbers(DropConnect.keep(keep, IN, OUT), DType.F64, 1);
        double[][] twice = numbers(DropConnect.keep(keep, IN, OUT), DType.F64, 2);
        assertArrayEquals(Probe.map(once[1], g -> 2 * g), twice[1]);
        int[] words = new int[4];
        for (int o = 0; o < OUT; o++) {
            for (int i = 0; i < IN; i++) { // in memory weights lie in the order of inputs, then outputs
                int index = i * OUT + o;
                Philox.words(6, 0, 0, index / 4, words);
                boolean kept = (words[index % 4] >>> 8) * 0x1p-24 < keep;
                assertEquals(kept, once[1][o * IN + i] != 0);
            }
        }
    }

    @Test
    void g12_gradients_with_the_mask_frozen() {
        Layer layer = new Sequential(
                new Linear(IN, 9), new Tanh(), DropConnect.keep(0.6, 9, 8), new Tanh(), DropConnect.keep(0.8, 8, OUT));
        try (var memory = OwnedMemory.open("batch")) {
            Batch batch = Batches.labelled(memory, DType.F64, INPUT, OUT, 3);
            var report = GradientCheck.of(layer, new CrossEntropyLoss(), batch, 3);
            assertTrue(report.worstError() < SMOOTH, report.toString());
        }
    }

    /** The same weight used twice in a network, each time with a mask of its own. */
    @Test
    void g12_a_layer_that_is_used_twice_adds_both_gradients() {
        Layer layer = new Layer() {
            private final DropConnect square = child("square", DropConnect.keep(0.7, IN, IN));
            private final Linear head = child("head", new Linear(IN, OUT));

            @Override
            public Value forward(Value x) {
                return head.forward(square.forward(square.forward(x)));
            }
        };
        try (var memory = OwnedMemory.open("batch")) {
            Batch batch = Batches.labelled(memory, DType.F64, INPUT, OUT, 3);
            var report = GradientCheck.of(layer, new CrossEntropyLoss(), batch, 3);
            assertTrue(report.worstError() < SMOOTH, report.toString());
        }
    }

    @Test
    void probabilities_outside_their_range_are_refused() {
        assertThrows(IllegalArgumentException.class, () -> DropConnect.keep(0, IN, OUT));
        assertThrows(IllegalArgumentException.class, () -> DropConnect.drop(1, IN, OUT));
    }
}
