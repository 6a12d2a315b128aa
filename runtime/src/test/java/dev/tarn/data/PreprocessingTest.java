package dev.tarn.data;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Rows P1 to P8: what images are made of before a network sees them. */
class PreprocessingTest {
    private static final Dataset DIGITS = Digits.generate(500, 3, Split.TRAIN);
    private static final double HALF_ULP = 0x1p-24; // relative error of rounding to float

    /** What a loader makes of a data set: one row for each image, in the order C, H, W. */
    private static float[][] rows(Dataset data, Preprocessing preprocessing) {
        float[][] rows = new float[(int) data.size()][];
        int features = (int) data.imageShape().elementCount();
        int i = 0;
        try (DataLoader loader = DataLoader.of(data, 64).preprocessed(preprocessing)) {
            for (Batch batch : loader.epoch(0)) {
                float[] all = batch.images().toArray();
                for (int k = 0; k < batch.size(); k++) {
                    rows[i++] = java.util.Arrays.copyOfRange(all, k * features, (k + 1) * features);
                }
            }
        }
        return rows;
    }

    private static int[][] bytes(Dataset data) {
        int features = (int) data.imageShape().elementCount();
        int[][] rows = new int[(int) data.size()][features];
        MemorySegment image = Arena.ofAuto().allocate(features);
        for (int i = 0; i < rows.length; i++) {
            data.read(i, image);
            for (int f = 0; f < features; f++) {
                rows[i][f] = image.get(ValueLayout.JAVA_BYTE, f) & 0xFF;
            }
        }
        return rows;
    }

    private static boolean isConstant(int[][] bytes, int feature) {
        return java.util.Arrays.stream(bytes).allMatch(row -> row[feature] == bytes[0][feature]);
    }

    /** Colour images whose 108 numbers are mixtures of a few, so that they have something to decorrelate. */
    private static final class MixedDataset extends PatternDataset {
        MixedDataset() {
            super(400, Shape.of(3, 6, 6));
        }

        @Override
        public void read(long index, MemorySegment target) {
            var rng = new dev.tarn.tensor.Rng(5, dev.tarn.tensor.Rng.Stream.DIGITS, index);
            double slow = rng.nextGaussian();
            double fast = rng.nextGaussian();
            for (int f = 0; f < 108; f++) {
                double value =
                        120 + 25 * slow * Math.sin(f / 20.0) + 15 * fast * Math.cos(f / 3.0) + 6 * rng.nextGaussian();
                target.set(ValueLayout.JAVA_BYTE, f, (byte) Math.clamp(Math.round(value), 0, 255));
            }
        }
    }

    @Test
    void p1_each_feature_has_mean_zero_and_std_one() {
        float[][] rows = rows(DIGITS, FeatureScaling.standard(DIGITS));
        int[][] bytes = bytes(DIGITS);
        int constant = 0;
        for (int f = 0; f < 784; f++) {
            double sum = 0;
            double squares = 0;
            for (float[] row : rows) {
                sum += row[f];
                squares += (double) row[f] * row[f];
            }
            assertEquals(0, sum / rows.length, 1e-6);
            if (isConstant(bytes, f)) {
                constant++;
                assertEquals(0, squares);
            } else {
                assertEquals(1, Math.sqrt(squares / rows.length), 1e-6);
            }
        }
        assertTrue(constant < 784 / 2, constant + " constant features say little");
    }

    @Test
    void p2_least_and_greatest_become_minus_one_and_one_bitwise() {
        FeatureScaling scaling = FeatureScaling.minMax(DIGITS);
        float[][] rows = rows(DIGITS, scaling);
        int[][] bytes = bytes(DIGITS);
        for (int f = 0; f < 784; f++) {
            int feature = f;
            int least = java.util.Arrays.stream(bytes)
                    .mapToInt(row -> row[feature])
                    .min()
                    .orElseThrow();
            int greatest = java.util.Arrays.stream(bytes)
                    .mapToInt(row -> row[feature])
                    .max()
                    .orElseThrow();
            double ulpOfRange = Math.ulp((float) (greatest - least));
            for (int i = 0; i < rows.length; i++) {
                float value = rows[i][f];
                if (least == greatest) {
                    assertEquals(0f, value);
                } else if (bytes[i][f] == least) {
                    assertEquals(-1f, value);
                } else if (bytes[i][f] == greatest) {
                    assertEquals(1f, value);
                }
                assertTrue(value >= -1 && value <= 1);
                assertEquals(bytes[i][f], scaling.inverse(value, f), ulpOfRange);
            }
        }
    }

    @Test
    void p3_deviations_from_the_mean_image_sum_to_zero() {
        float[][] rows = rows(DIGITS, FeatureScaling.meanImage(DIGITS));
        for (int f = 0; f < 784; f++) {
            double sum = 0;
            double rounding = 0;
            for (float[] row : rows) {
                sum += row[f];
                rounding += HALF_ULP * Math.abs(row[f]);
            }
            // Beside each value's rounding to float, the mean's own to double, once for each image.
            assertEquals(0, sum, rounding + rows.length * Math.ulp(1.0));
        }
    }

    @Test
    void p4_per_channel_mean_is_the_average_of_the_mean_image() {
        Dataset data = new PatternDataset(50, Shape.of(3, 5, 7));
        double[] image = FeatureScaling.meanImage(data).shift().toDoubleArray();
        Normalization normalization = Normalization.measureMean(data);
        for (int c = 0; c < 3; c++) {
            double sum = 0;
            for (int p = 0; p < 35; p++) {
                sum += image[c * 35 + p];
            }
            assertEquals(
                    (float) (sum / 35 / 255),
                    normalization.mean().get(c),
                    Math.ulp(normalization.mean().get(c)));
            assertEquals(1f, normalization.std().get(c));
        }
    }

    @Test
    void p6_components_are_uncorrelated_and_all_of_them_restore_the_image() {
        Dataset data = new MixedDataset();
        PrincipalComponents components = PrincipalComponents.measure(data, 108, PrincipalComponents.Scale.KEPT);
        double[][] covariance = rotatedCovariance(data, components);
        for (int i = 0; i < 108; i++) {
            for (int k = 0; k < 108; k++) {
                double expected = i == k ? components.variances().get(i) : 0;
                assertEquals(expected, covariance[i][k], 1e-4 * covariance[0][0], i + ", " + k);
            }
        }
        float[][] rows = rows(data, components);
        int[][] bytes = bytes(data);
        double[] mean = components.mean().toDoubleArray();
        for (int i = 0; i < rows.length; i++) {
            double length = 0;
            for (int f = 0; f < 108; f++) {
                length += Math.pow(bytes[i][f] / 255.0 - mean[f], 2);
            }
            // V in float is orthogonal but for E with |E_ij| <= u |V_ij|: |V'V - I| <= 2 u |V| |V| <= 2 u D in norm.
            double bound = 2 * HALF_ULP * 108 * Math.sqrt(length) + HALF_ULP;
            for (int f = 0; f < 108; f++) {
                assertEquals(bytes[i][f] / 255.0 - mean[f], rows[i][f], bound);
            }
        }
    }

    @Test
    void p6_fewer_components_leave_out_the_weakest() {
        Dataset data = new MixedDataset();
        PrincipalComponents all = PrincipalComponents.measure(data, 108, PrincipalComponents.Scale.KEPT);
        PrincipalComponents some = PrincipalComponents.measure(data, 5, PrincipalComponents.Scale.KEPT);
        double[] variances = all.variances().toDoubleArray();
        assertArrayEquals(
                java.util.Arrays.copyOf(variances, 5), some.variances().toDoubleArray());
        float[][] full = rows(data, all);
        float[][] part = rows(data, some);
        double lost = 0;
        for (int i = 0; i < full.length; i++) {
            for (int f = 0; f < 108; f++) {
                lost += Math.pow((double) full[i][f] - part[i][f], 2);
            }
        }
        double expected = java.util.Arrays.stream(variances, 5, 108).sum();
        assertEquals(expected, lost / full.length, 1e-4 * expected);
    }

    @Test
    void p7_whitened_components_have_variance_s_over_s_plus_eps() {
        Dataset data = new MixedDataset();
        PrincipalComponents components = PrincipalComponents.measure(data, 108, PrincipalComponents.Scale.WHITENED);
        double[][] covariance = rotatedCovariance(data, components);
        for (int i = 0; i < 108; i++) {
            double variance = components.variances().get(i);
            for (int k = 0; k < 108; k++) {
                assertEquals(i == k ? variance / (variance + 1e-5) : 0, covariance[i][k], 1e-4, i + ", " + k);
            }
        }
    }

    @Test
    void p7_pixels_that_never_vary_do_no_harm() {
        PrincipalComponents components = PrincipalComponents.measure(DIGITS, 784, PrincipalComponents.Scale.WHITENED);
        double[][] covariance = rotatedCovariance(DIGITS, components);
        for (int i = 0; i < 784; i++) {
            double variance = components.variances().get(i);
            assertEquals(variance / (variance + 1e-5), covariance[i][i], 1e-4, "component " + i);
        }
        for (float[] row : rows(DIGITS, components)) {
            for (float value : row) {
                assertTrue(Float.isFinite(value));
            }
        }
    }

    private static double[][] rotatedCovariance(Dataset data, PrincipalComponents components) {
        int features = (int) data.imageShape().elementCount();
        MemorySegment image = Arena.ofAuto().allocate(features);
        double[][] z = new double[(int) data.size()][];
        double[] mean = new double[features];
        for (int i = 0; i < z.length; i++) {
            data.read(i, image);
            z[i] = components.rotate(image);
            for (int k = 0; k < features; k++) {
                mean[k] += z[i][k] / z.length;
            }
        }
        double[][] covariance = new double[features][features];
        for (double[] row : z) {
            for (int i = 0; i < features; i++) {
                for (int k = 0; k < features; k++) {
                    covariance[i][k] += (row[i] - mean[i]) * (row[k] - mean[k]) / z.length;
                }
            }
        }
        return covariance;
    }

    @Test
    void p8_channels_are_the_default() {
        assertEquals(Normalization.measure(DIGITS), Preprocessing.measure(Preprocessing.DEFAULT, DIGITS));
        assertEquals("channel-mean-std", Preprocessing.DEFAULT);
    }

    @Test
    void choices_by_name() {
        assertEquals(Normalization.measureMean(DIGITS), Preprocessing.measure("channel-mean", DIGITS));
        assertEquals(Normalization.unit(1), Preprocessing.measure("none", DIGITS));
        assertTrue(Preprocessing.measure("mean-image", DIGITS) instanceof FeatureScaling);
        Dataset mixed = new MixedDataset();
        var pca = (PrincipalComponents) Preprocessing.measure("whiten=7", mixed);
        assertEquals(Shape.of(7, 108), pca.components().shape());
        for (String wrong : List.of("pca", "pca=", "pca=x", "pca=0", "pca=109", "minmax", "")) {
            assertThrows(IllegalArgumentException.class, () -> Preprocessing.measure(wrong, mixed), wrong);
        }
    }

    @Test
    void images_of_another_shape_or_of_too_many_features() {
        Dataset large = new PatternDataset(2, Shape.of(3, 64, 64));
        var e = assertThrows(IllegalArgumentException.class, () -> Preprocessing.measure("pca=2", large));
        assertSays(Exception.class, e, "4,096", "12,288");
        FeatureScaling scaling = FeatureScaling.meanImage(DIGITS);
        try (DataLoader loader = DataLoader.of(large, 2)) {
            var wrong = assertThrows(IllegalArgumentException.class, () -> loader.preprocessed(scaling));
            assertSays(Exception.class, wrong, "(1, 28, 28)", "(3, 64, 64)");
        }
    }
}
