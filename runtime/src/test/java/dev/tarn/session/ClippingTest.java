package dev.tarn.session;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.Messages;
import dev.tarn.optim.Adam;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.SGD;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Gradients that are clipped before an update. */
class ClippingTest extends UpdateFixture {
    @Test
    void k2_gradients_are_clipped_to_the_norm_and_keep_their_direction() {
        Map<String, double[]> free = gradients(new SGD());
        double norm = norm(all(free));
        double tau = norm / 7;
        Map<String, double[]> clipped = gradients(new SGD().clipped(Clipping.norm(tau)));
        assertEquals(tau, norm(all(clipped)), tau * 1e-6);
        double dot = 0;
        for (String path : free.keySet()) {
            for (int i = 0; i < free.get(path).length; i++) {
                dot += free.get(path)[i] * clipped.get(path)[i];
            }
        }
        assertEquals(1, dot / (norm * norm(all(clipped))), 1e-6);
    }

    @Test
    void k2_gradients_below_the_norm_are_untouched() {
        double norm = norm(all(gradients(new SGD())));
        for (Clipping loose : List.of(Clipping.norm(norm * 1.01), Clipping.layerNorm(norm), Clipping.value(norm))) {
            Optimizer adam = new Adam().clipped(loose);
            assertSameBits(weightsAfter(1, new Adam(), 2), weightsAfter(1, adam, 2));
        }
    }

    @Test
    void k2_each_layer_is_clipped_by_itself() {
        Map<String, double[]> free = gradients(new SGD());
        double tau = norm(free.get("5.weight"), free.get("5.bias")) * 0.99;
        Map<String, double[]> clipped = gradients(new SGD().clipped(Clipping.layerNorm(tau)));
        for (String layer : List.of("0", "1", "5")) {
            double norm = norm(free.get(layer + ".weight"), free.get(layer + ".bias"));
            double now = norm(clipped.get(layer + ".weight"), clipped.get(layer + ".bias"));
            assertEquals(Math.min(norm, tau), now, 1e-6 * tau, layer);
        }
    }

    @Test
    void k2_values_are_clipped_one_by_one() {
        Map<String, double[]> free = gradients(new SGD());
        double limit = 0.01;
        Map<String, double[]> clipped = gradients(new SGD().clipped(Clipping.value(limit)));
        free.forEach((path, values) -> {
            for (int i = 0; i < values.length; i++) {
                assertEquals(Math.clamp(values[i], -limit, limit), clipped.get(path)[i], 1e-15, path);
            }
        });
    }

    @Test
    void k2_a_norm_that_is_not_a_number_raises_before_any_parameter_changes() {
        for (Clipping clipping : List.of(Clipping.norm(1), Clipping.layerNorm(1))) {
            try (Model model = Model.create(network(), 4);
                    TrainingSession session = train(model, new Adam().clipped(clipping), 2)) {
                session.forward(batch);
                session.backward();
                session.gradient("5.weight").set(Double.NaN, 2, 3);
                Map<String, double[]> before = weights(model);
                var e = assertThrows(DivergenceException.class, () -> session.update(RATE));
                Messages.assertSays(DivergenceException.class, e, "gradients", "NaN");
                assertSameBits(before, weights(model));
                assertEquals(0, session.step());
            }
        }
    }

    @Test
    void k2_the_norm_is_reported_as_it_was_before() {
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, new SGD().clipped(Clipping.norm(1e-3)), 2);
                Model other = Model.create(network(), 4);
                TrainingSession plain = train(other, new SGD(), 2)) {
            step(session);
            step(plain);
            double norm = norm(all(gradients(new SGD())));
            assertEquals(norm, session.gradientNorm(), 1e-5 * norm);
            assertTrue(Double.isNaN(plain.gradientNorm()));
        }
    }
}
