package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.Optimizer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;

/** A small network with a batch, and steps of it that tests look at. */
abstract class UpdateFixture {
    static final Shape INPUT = Shape.of(8, 3, 12, 12);
    static final int CLASSES = 5;
    static final double RATE = 1e-3;

    final OwnedMemory batchMemory = OwnedMemory.open("batch");
    final Batch batch = Batches.labelled(batchMemory, DType.F32, INPUT, CLASSES, 1);

    @AfterEach
    void close() {
        batchMemory.close();
    }

    /** Parameters: 0.weight, 0.bias, 1.weight, 1.bias, 5.weight, 5.bias. */
    static Layer network() {
        return new Sequential(
                new Conv2d(3, 10, window(3).padding(1)),
                new BatchNorm2d(10),
                new ReLU(),
                new MaxPool2d(2),
                new Flatten(),
                new Linear(10 * 6 * 6, CLASSES));
    }

    double step(TrainingSession session) {
        double loss = session.forward(batch);
        session.backward();
        session.update(RATE);
        return loss;
    }

    static Map<String, double[]> weights(Model model) {
        Map<String, double[]> weights = new LinkedHashMap<>();
        model.tensors().forEach((path, tensor) -> weights.put(path, tensor.toDoubleArray()));
        return weights;
    }

    static void assertSameBits(Map<String, double[]> a, Map<String, double[]> b) {
        a.forEach((path, values) -> assertArrayEquals(values, b.get(path), path));
    }

    Map<String, double[]> weightsAfter(int steps, Optimizer optimizer, int threads) {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, optimizer, threads)) {
            for (int i = 0; i < steps; i++) {
                step(session);
            }
            return weights(model);
        }
    }

    static TrainingSession train(Model model, Optimizer optimizer, int threads) {
        return model.training(INPUT, new CrossEntropyLoss(), optimizer, SessionOptions.DEFAULT.withThreads(threads));
    }

    Map<String, double[]> gradients(Optimizer optimizer) {
        try (Model model = Model.create(network(), 4, DType.F64);
                OwnedMemory memory = OwnedMemory.open("exact batch");
                TrainingSession session = train(model, optimizer, 2)) {
            Map<String, double[]> gradients = weights(model);
            session.forward(Batches.labelled(memory, DType.F64, INPUT, CLASSES, 1));
            session.backward();
            session.update(1);
            weights(model).forEach((path, after) -> {
                double[] before = gradients.get(path);
                for (int i = 0; i < after.length; i++) {
                    before[i] -= after[i];
                }
            });
            gradients.keySet().removeIf(path -> path.contains("running"));
            return gradients;
        }
    }

    static double norm(double[]... parts) {
        double squares = 0;
        for (double[] part : parts) {
            for (double x : part) {
                squares += x * x;
            }
        }
        return Math.sqrt(squares);
    }

    static double[][] all(Map<String, double[]> gradients) {
        return gradients.values().toArray(double[][]::new);
    }

    /** In a linear layer, where each example adds one product to each element. */
}
