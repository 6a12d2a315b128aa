package dev.tarn.session;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.init.Gaussian;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A bowl of condition number k: two examples whose mean squared error is (k x^2 + y^2) / 2 around its lowest point at zero. */
class CurvatureTest {
    private static final double K = 50;
    private static final Shape INPUT = Shape.of(2, 2);

    private final OwnedMemory memory = OwnedMemory.open("bowl");
    private final Batch bowl = Batches.regression(memory, DType.F64, INPUT, Shape.of(2, 1), 1);

    CurvatureTest() {
        bowl.images().copyFrom(Math.sqrt(K), 0, 0, 1);
        bowl.labels().copyFrom(0.0, 0.0);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    private static Layer layer() {
        return new Linear(2, 1, Bias.NONE, Gaussian.of(1));
    }

    @Test
    void t8_power_iteration_finds_the_largest_curvature() {
        try (var model = Model.create(layer(), 1, DType.F64)) {
            assertEquals(K, Curvature.largest(model, new MSELoss(), bowl, 30, 1, SessionOptions.DEFAULT), 1e-6 * K);
        }
    }

    /** By how much the distance to the lowest point shrinks in a step, over the last of many. */
    private double contraction(Optimizer optimizer, double rate, int steps, int last) {
        try (var model = Model.create(layer(), 1, DType.F64);
                var session = model.training(INPUT, new MSELoss(), optimizer)) {
            model.tensor("weight").copyFrom(1 / K, 1.0); // both directions count alike
            double before = 0;
            for (int i = 0; i < steps; i++) {
                if (i == steps - last) {
                    before = distance(model);
                }
                session.forward(bowl);
                session.backward();
                session.update(rate);
            }
            return Math.pow(distance(model) / before, 1.0 / last);
        }
    }

    private static double distance(Model model) {
        double[] w = model.tensor("weight").toDoubleArray();
        return Math.hypot(w[0], w[1]);
    }

    @Test
    void t8_descent_at_the_best_rate_contracts_by_k_minus_one_over_k_plus_one() {
        assertEquals((K - 1) / (K + 1), contraction(new SGD(), 2 / (K + 1), 200, 1), 1e-12);
        assertEquals((K - 1) / (K + 1), contraction(new SGD(), 2 / (K + 1), 200, 150), 1e-12);
    }

    @Test
    void t8_the_heavy_ball_contracts_by_the_same_of_the_root() {
        double root = Math.sqrt(K);
        double momentum = Math.pow((root - 1) / (root + 1), 2);
        double rate = Math.pow(2 / (root + 1), 2);
        // Both eigenvalues are double at the best setting, so that a factor of t is left in t steps.
        double got = contraction(new SGD().momentum(momentum), rate, 2000, 1000);
        assertEquals((root - 1) / (root + 1), got, 2.0 / 1000);
    }
}
