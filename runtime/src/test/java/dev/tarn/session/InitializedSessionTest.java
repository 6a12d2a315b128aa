package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import dev.tarn.data.Batch;
import dev.tarn.kernel.KernelLevel;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.init.Distribution;
import dev.tarn.nn.init.Initialization;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Rows I1 and I11 where they take training or a batch. */
class InitializedSessionTest {
    private static final Shape IMAGES = Shape.of(16, 3, 10, 10);

    @ParameterizedTest
    @ValueSource(strings = {"constant=0.1", "constant=0"})
    void i1_neurons_that_start_alike_stay_alike_to_the_bit(String name) {
        assumeFalse(
                KernelLevel.label().equals("blas"),
                "OpenBLAS may sum the last columns of a matrix in an order of their own");
        Layer net = new Sequential(new Flatten(), new Linear(300, 37), new ReLU(), new Linear(37, 10));
        try (var memory = OwnedMemory.open("batch");
                var model = Model.create(net, 1, Initialization.parse(name, Distribution.NORMAL));
                var session = model.training(IMAGES, new CrossEntropyLoss(), new SGD().momentum(0.9))) {
            Batch batch = Batches.labelled(memory, DType.F32, IMAGES, 10, 3);
            Tensor weight = model.tensor("1.weight");
            float before = (float) weight.get(0, 0);
            boolean moved = false;
            for (int step = 0; step < 5; step++) {
                session.forward(batch);
                session.backward();
                session.update(0.05);
                for (long i = 0; i < 300; i++) {
                    moved |= weight.get(0, i) != before;
                    for (long o = 1; o < 37; o++) {
                        assertEquals(weight.get(0, i), weight.get(o, i), "neuron " + o + ", input " + i);
                    }
                }
            }
            assertEquals(name.equals("constant=0.1"), moved, "from zero nothing moves: a saddle point");
        }
    }

    private static Layer[] layers() {
        return new Layer[] {
            new Conv2d(3, 8, window(3).padding(1)),
            new ReLU(),
            new Conv2d(8, 16, window(3), Bias.LEARNED, 4),
            new ReLU(),
            new Conv2d(16, 5, window(1), Bias.NONE),
            new Flatten(),
            new Linear(5 * 8 * 8, 40),
            new ReLU(),
            new Linear(40, 10)
        };
    }

    @Test
    void i11_lsuv_gives_every_layers_outputs_variance_one() {
        long before = MemoryAccount.current();
        try (var memory = OwnedMemory.open("batch");
                var model = Model.create(
                        new Sequential(layers()),
                        1,
                        Initialization.parse("lsuv", Distribution.NORMAL).withBias(0.3))) {
            Batch batch = Batches.labelled(memory, DType.F32, IMAGES, 10, 3);
            long held = MemoryAccount.current();
            Lsuv.rescale(model, batch, SessionOptions.DEFAULT);
            assertEquals(held, MemoryAccount.current(), "it keeps no memory");
            for (int last : new int[] {0, 2, 4, 6, 8}) {
                double variance = outputVariance(model, last, batch);
                assertEquals(1, variance, 0.02, "layer " + last);
            }
        }
        assertEquals(before, MemoryAccount.current());
    }

    /** Runs the layers up to one, with the model's weights. */
    private static double outputVariance(Model model, int last, Batch batch) {
        Layer[] first = java.util.Arrays.copyOf(layers(), last + 1);
        try (var part = Model.create(new Sequential(first), 1);
                var session = part.inference(IMAGES)) {
            part.tensors().forEach((path, tensor) -> tensor.copyFrom(model.tensor(path)));
            float[] values = session.run(batch).toArray();
            double sum = 0;
            double squares = 0;
            for (float value : values) {
                sum += value;
                squares += (double) value * value;
            }
            assertTrue(values.length > 100);
            return squares / values.length - Math.pow(sum / values.length, 2);
        }
    }
}
