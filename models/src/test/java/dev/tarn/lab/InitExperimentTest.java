package dev.tarn.lab;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.lab.InitExperiment.LayerStatistics;
import dev.tarn.lab.InitExperiment.Setting;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Rows I8 and I9 at full size: some twenty seconds. The reference is one sample, as each run is, and its tolerances
 * are about as wide as samples scatter (the standard deviation of the rms of layer 6 is up to 4 %), so that the seed
 * is one that keeps them all; what any seed must keep is tested at five standard deviations.
 */
class InitExperimentTest {
    private static final Map<Setting, List<LayerStatistics>> RESULTS =
            InitExperiment.run(InitExperiment.USUAL_WIDTH, 1);

    private static void assertStds(Setting setting, double... expected) {
        for (int l = 0; l < InitExperiment.LAYERS; l++) {
            assertEquals(expected[l], layer(setting, l + 1).std(), 0.02, setting + ", layer " + (l + 1));
        }
    }

    private static LayerStatistics layer(Setting setting, int layer) {
        return RESULTS.get(setting).get(layer - 1);
    }

    @Test
    void i8_standard_deviations_are_those_of_the_reference() {
        assertStds(Setting.TANH_SMALL, .49, .29, .18, .11, .07, .05);
        assertStds(Setting.TANH_LARGE, .87, .85, .85, .85, .85, .85);
        assertStds(Setting.TANH_XAVIER, .63, .49, .41, .36, .32, .29);
        assertStds(Setting.RELU_XAVIER, .58, .41, .30, .21, .14, .10);
        assertStds(Setting.RELU_HE, .83, .83, .84, .83, .82, .81);
    }

    @Test
    void i8_large_weights_saturate_tanh() {
        double[] expected = {.51, .45, .44, .44, .44, .44};
        for (int l = 0; l < InitExperiment.LAYERS; l++) {
            assertEquals(expected[l], layer(Setting.TANH_LARGE, l + 1).saturated(), 0.02);
        }
    }

    @Test
    void i8_rectified_activations_halve_with_xavier_and_last_with_he() {
        for (int l = 1; l <= InitExperiment.LAYERS; l++) {
            double halved = Math.pow(2, -l / 2.0);
            assertEquals(halved, layer(Setting.RELU_XAVIER, l).rms(), 0.03 * halved);
            assertEquals(1, layer(Setting.RELU_HE, l).rms(), 0.03);
        }
    }

    /**
     * Given the layer before, the mean square of a rectified layer has its expectation times 1/2 or 1, and a relative
     * variance of at most 5 / width: that of max(0, z)^2 for normal z, if all examples were one. Over l layers these
     * add up, and the rms has half the relative deviation of its square.
     */
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 2, 3})
    void i8_the_law_holds_for_any_seed_within_five_deviations(long seed) {
        int width = 512;
        var results = InitExperiment.run(width, seed);
        for (int l = 1; l <= InitExperiment.LAYERS; l++) {
            double bound = 5 * Math.sqrt(5.0 * l / width) / 2;
            double xavier = results.get(Setting.RELU_XAVIER).get(l - 1).rms() * Math.pow(2, l / 2.0);
            assertEquals(1, xavier, bound);
            assertEquals(1, results.get(Setting.RELU_HE).get(l - 1).rms(), bound);
        }
    }

    /**
     * For Xavier and He as the row says. Its other half, that the last norm is below a hundredth of the first with
     * weights that are too small or too large, is not so: what small weights lose on the way back they lose on the
     * way forth as well, and the gradient of a layer's weights, the product of both, is the same in all layers;
     * behind saturated layers it grows on the way back, since the gain of 3.2 is more than saturation takes.
     */
    @Test
    void i9_weight_gradients_are_of_one_size_with_xavier_and_he() {
        for (Setting setting : List.of(Setting.TANH_XAVIER, Setting.RELU_XAVIER, Setting.RELU_HE)) {
            double ratio =
                    layer(setting, 6).weightGradientNorm() / layer(setting, 1).weightGradientNorm();
            assertTrue(ratio > 0.1 && ratio < 10, setting + ": " + ratio);
        }
    }

    @Test
    void histograms_count_every_activation_once() {
        RESULTS.forEach((setting, layers) -> layers.forEach(layer -> assertEquals(
                16L * InitExperiment.USUAL_WIDTH,
                layer.histogram().stream().mapToLong(count -> count).sum())));
        String svg = Histograms.svg(RESULTS);
        assertEquals(30, svg.split("text-anchor=\"middle\"", -1).length - 1);
    }
}
