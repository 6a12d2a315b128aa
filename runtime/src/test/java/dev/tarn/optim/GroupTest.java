package dev.tarn.optim;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.tensor.DType;
import org.junit.jupiter.api.Test;

/** What holds weights back. The velocity of a first step of momentum is the gradient that it follows. */
class GroupTest {
    private static final double[] WEIGHTS = {0.75, -1.5, 0, 2};
    private static final double[] NONE = {0, 0, 0, 0};

    private static double[] gradient(Group group, double... dataGradient) {
        try (var steps = new Steps(new SGD().momentum(0.9).with(group), DType.F64, WEIGHTS)) {
            steps.step(0.1, dataGradient);
            double[] gradient = new double[WEIGHTS.length];
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] = steps.state("velocity", i);
            }
            return gradient;
        }
    }

    @Test
    void g1_l2_adds_lambda_times_the_weight() {
        double lambda = 0.013;
        double[] got = gradient(Group.all().l2(lambda), NONE);
        for (int i = 0; i < WEIGHTS.length; i++) {
            assertEquals(lambda * WEIGHTS[i], got[i], Math.ulp(lambda * WEIGHTS[i]));
        }
        double[] onTop = gradient(Group.all().l2(lambda), 1, 2, 3, 4);
        for (int i = 0; i < WEIGHTS.length; i++) {
            double want = 1 + i + lambda * WEIGHTS[i];
            assertEquals(want, onTop[i], Math.ulp(want));
        }
    }

    @Test
    void g2_l1_adds_lambda_times_the_sign_and_nothing_at_zero() {
        double lambda = 0.013;
        double[] got = gradient(Group.all().l1(lambda), NONE);
        for (int i = 0; i < WEIGHTS.length; i++) {
            assertEquals(lambda * Math.signum(WEIGHTS[i]), got[i]);
        }
        assertEquals(0, got[2]);
    }

    @Test
    void g3_an_elastic_net_has_no_one_half() {
        double lambda = 0.013;
        assertEquals(Group.all().l2(lambda), Group.all().elasticNet(0, lambda / 2));
        double[] got = gradient(Group.all().elasticNet(0.5, lambda), NONE);
        for (int i = 0; i < WEIGHTS.length; i++) {
            double want = 0.5 * Math.signum(WEIGHTS[i]) + 2 * lambda * WEIGHTS[i];
            assertEquals(want, got[i], Math.ulp(want));
        }
    }

    @Test
    void g17_a_name_stands_for_all_under_it_and_a_star_for_anything() {
        assertTrue(Group.of("layer1").contains("layer1.0.conv1.weight"));
        assertTrue(Group.of("layer1.0").contains("layer1.0"));
        assertFalse(Group.of("layer1").contains("layer10.0.conv1.weight"));
        assertFalse(Group.of("conv1").contains("layer1.0.conv1.weight"));
        assertTrue(Group.of("*.conv1").contains("layer1.0.conv1.weight"));
        assertTrue(Group.of("layer*.weight").contains("layer1.0.conv1.weight"));
        assertFalse(Group.of("layer*.weight").contains("layer1.0.conv1.bias"));
        assertTrue(Group.all().contains("weight"));
        assertFalse(Group.of("a.b").contains("aXb"));
    }

    @Test
    void g16_biases_keep_the_rate_of_their_group_and_lose_the_rest_unless_included() {
        Group group = Group.of("fc").rateFactor(2).l2(1).l1(1).decoupledDecay(1).maxNorm(3);
        assertEquals(Group.of("fc").rateFactor(2), group.ofBiases());
        Group included = group.includingBiases();
        assertEquals(included.maxNorm(Double.POSITIVE_INFINITY), included.ofBiases());
    }
}
