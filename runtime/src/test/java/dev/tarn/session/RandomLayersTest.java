package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.data.Batch;
import dev.tarn.graph.op.FractionalPool2dOp.Regions;
import dev.tarn.graph.op.FractionalPool2dOp.Steps;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.DropConnect;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.FractionalMaxPool2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.StochasticPool2d;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What holds for all sessions, of a network in which all random layers follow each other. */
class RandomLayersTest {
    private static final Shape INPUT = Shape.of(6, 3, 15, 14);
    private static final int CLASSES = 4;

    private final OwnedMemory memory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(memory, DType.F32, INPUT, CLASSES, 1);

    @AfterEach
    void close() {
        memory.close();
    }

    private static Layer network() {
        return new Sequential(
                Dropout.keep(0.9),
                new Conv2d(3, 17, window(3).padding(1)),
                new FractionalMaxPool2d(1.6, Steps.RANDOM, Regions.OVERLAPPING), // 9 x 8
                new Conv2d(17, 9, window(3).padding(1)),
                new ReLU(),
                new FractionalMaxPool2d(1.3, Steps.PSEUDO_RANDOM, Regions.DISJOINT), // 6 x 6
                new StochasticPool2d(2),
                Dropout.drop(0.2).vanilla(),
                new Flatten(),
                DropConnect.keep(0.7, 9 * 9, 11),
                Dropout.keep(0.8).alpha(),
                new Linear(11, CLASSES));
    }

    private static void step(TrainingSession session, Batch of) {
        session.forward(of);
        session.backward();
        session.update(0.05);
    }

    private List<double[]> weightsAfterSteps(Shape planned, Batch of, int threads) {
        var options = SessionOptions.DEFAULT.withThreads(threads);
        try (Model model = Model.create(network(), 4);
                TrainingSession session = model.training(planned, new CrossEntropyLoss(), new SGD(), options)) {
            for (int i = 0; i < 4; i++) {
                step(session, of);
            }
            List<double[]> weights = new ArrayList<>();
            model.tensors().values().forEach(tensor -> weights.add(tensor.toDoubleArray()));
            return weights;
        }
    }

    private static void assertSameBits(List<double[]> a, List<double[]> b) {
        for (int i = 0; i < a.size(); i++) {
            assertArrayEquals(a.get(i), b.get(i));
        }
    }

    @Test
    void the_same_seed_gives_the_same_bits_at_any_number_of_threads() {
        List<double[]> one = weightsAfterSteps(INPUT, batch, 1);
        assertSameBits(one, weightsAfterSteps(INPUT, batch, 2));
        assertSameBits(one, weightsAfterSteps(INPUT, batch, 3));
    }

    @Test
    void a_smaller_batch_uses_a_prefix_of_the_plan() {
        Batch two = new Batch(batch.images().prefix(2), batch.labels().prefix(2), memory);
        assertSameBits(weightsAfterSteps(Shape.of(2, 3, 15, 14), two, 1), weightsAfterSteps(INPUT, two, 1));
    }

    @Test
    void what_is_allocated_is_what_is_planned() {
        long before = MemoryAccount.current();
        try (Model model = Model.create(network(), 4);
                TrainingSession session = model.training(INPUT, new CrossEntropyLoss(), new SGD());
                var passes = model.monteCarlo(INPUT, 3, MonteCarloSession.Of.PROBABILITIES, SessionOptions.DEFAULT)) {
            step(session, batch);
            passes.run(batch);
            long planned = model.memory().byteSize()
                    + session.memory().byteSize()
                    + passes.memory().byteSize();
            assertEquals(before + planned, MemoryAccount.current());
        }
        assertEquals(before, MemoryAccount.current());
    }

    @Test
    void an_image_gets_the_same_bits_alone_and_in_a_batch() {
        Batch one = new Batch(batch.images().prefix(1), batch.labels().prefix(1), memory);
        try (Model model = Model.create(network(), 4);
                var session = model.inference(INPUT)) {
            double[] all = session.run(batch).toDoubleArray();
            double[] alone = session.run(one).toDoubleArray();
            assertArrayEquals(Arrays.copyOf(all, CLASSES), alone);
        }
    }
}
