package dev.tarn.lab;

import dev.tarn.tensor.Rng;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What initialisation does to the activations and gradients of a deep network: a batch of standard normal numbers
 * goes through fully connected layers of one width without biases, forward, and a gradient of ones comes back. The
 * experiment of Glorot and Bengio (2010), with the settings that Stanford's course CS231n shows.
 *
 * <p>All settings share the same standard normal weights, each times its own standard deviation, gain / sqrt(width),
 * and go through them together. Weights are drawn again on the way back rather than kept, which would take 4 layers
 * width^2 bytes.
 */
public final class InitExperiment {
    /** Layers of the network. */
    public static final int LAYERS = 6;

    /** The width at which gains are the usual standard deviations, such as 0.64 = 0.01 sqrt(4096). */
    public static final int USUAL_WIDTH = 4096;

    /** Bins of a histogram. */
    public static final int BINS = 40;

    private static final int BATCH = 16;
    private static final Setting[] ALL = Setting.values();
    private static final int SETTINGS = ALL.length;
    private static final int COLUMNS = SETTINGS * BATCH;
    private static final double SATURATED = 0.97;

    /** Activation and standard deviation of the weights. */
    public enum Setting {
        TANH_SMALL("tanh, std 0.01", true, 0.64),
        TANH_LARGE("tanh, std 0.05", true, 3.2),
        TANH_XAVIER("tanh, Xavier", true, 1),
        RELU_XAVIER("ReLU, Xavier", false, 1),
        RELU_HE("ReLU, He", false, Math.sqrt(2));

        private final String label;
        private final boolean tanh;
        private final double gain;

        Setting(String label, boolean tanh, double gain) {
            this.label = label;
            this.tanh = tanh;
            this.gain = gain;
        }

        /** For people. */
        public String label() {
            return label;
        }

        /** Where histograms begin: -1 for tanh, 0 for ReLU. */
        public double least() {
            return tanh ? -1 : 0;
        }

        /** Where histograms end; what is beyond is counted in the last bin. */
        public double greatest() {
            return tanh ? 1 : 3;
        }

        float activation(double sum) {
            return (float) (tanh ? Math.tanh(sum) : Math.max(0, sum));
        }

        /** The derivative, of what the activation gave. */
        double slope(float output) {
            return tanh ? 1 - (double) output * output : output > 0 ? 1 : 0;
        }

        boolean isSaturated(float output) {
            return tanh ? Math.abs(output) > SATURATED : output == 0;
        }
    }

    /**
     * A layer's activations over the batch, and its gradient.
     *
     * @param saturated where hardly any or no gradient passes: share beyond 0.97 in size for tanh, of zeros for ReLU
     * @param weightGradientNorm Frobenius norm of the gradient of the weights
     * @param histogram counts in {@link #BINS} bins of one width from {@link Setting#least} to {@link Setting#greatest}
     */
    public record LayerStatistics(
            double mean, double std, double rms, double saturated, double weightGradientNorm, List<Long> histogram) {}

    private final int width;
    private final long seed;
    private final float[][] activations = new float[LAYERS + 1][]; // each (width, settings * batch)
    private final double[] stds = new double[SETTINGS];

    private InitExperiment(int width, long seed) {
        this.width = width;
        this.seed = seed;
        for (Setting setting : Setting.values()) {
            stds[setting.ordinal()] = setting.gain / Math.sqrt(width);
        }
    }

    /**
     * Runs it. At width 4,096 it draws 200 million weights, for which half a minute of one core is needed.
     *
     * @return statistics of each layer, the first layer first
     */
    public static Map<Setting, List<LayerStatistics>> run(int width, long seed) {
        if (width < 1) {
            throw new IllegalArgumentException("a layer is at least one unit wide, not " + width);
        }
        var experiment = new InitExperiment(width, seed);
        experiment.forward();
        double[][] norms = experiment.backward();
        Map<Setting, List<LayerStatistics>> results = new EnumMap<>(Setting.class);
        for (Setting setting : Setting.values()) {
            List<LayerStatistics> layers = new ArrayList<>();
            for (int layer = 1; layer <= LAYERS; layer++) {
                layers.add(experiment.statistics(setting, layer, norms[layer - 1][setting.ordinal()]));
            }
            results.put(setting, layers);
        }
        return results;
    }

    /** The weights of one unit of a layer, standard normal. */
    private void draw(int layer, int unit, float[] weights) {
        Rng rng = new Rng(seed, Rng.Stream.INIT, (long) layer * width + unit);
        for (int i = 0; i < width; i++) {
            weights[i] = (float) rng.nextGaussian();
        }
    }

    private void forward() {
        Rng rng = new Rng(seed, Rng.Stream.INIT, -1);
        float[] input = new float[width * COLUMNS];
        for (int i = 0; i < width; i++) {
            for (int n = 0; n < BATCH; n++) {
                float value = (float) rng.nextGaussian();
                for (int s = 0; s < SETTINGS; s++) {
                    input[i * COLUMNS + s * BATCH + n] = value;
                }
            }
        }
        activations[0] = input;
        float[] weights = new float[width];
        float[] sums = new float[COLUMNS];
        for (int layer = 1; layer <= LAYERS; layer++) {
            float[] before = activations[layer - 1];
            float[] after = new float[width * COLUMNS];
            for (int unit = 0; unit < width; unit++) {
                draw(layer, unit, weights);
                Arrays.fill(sums, 0);
                for (int i = 0; i < width; i++) {
                    addScaled(sums, 0, before, i * COLUMNS, weights[i]);
                }
                for (int c = 0; c < COLUMNS; c++) {
                    Setting setting = setting(c);
                    after[unit * COLUMNS + c] = setting.activation(stds[setting.ordinal()] * sums[c]);
                }
            }
            activations[layer] = after;
        }
    }

    private static Setting setting(int column) {
        return ALL[column / BATCH];
    }

    private static void addScaled(float[] target, int to, float[] source, int from, float factor) {
        for (int c = 0; c < COLUMNS; c++) {
            target[to + c] += factor * source[from + c];
        }
    }

    /**
     * From a gradient of ones at the output to that of each layer's weights, whose norm it returns by layer and
     * setting.
     */
    private double[][] backward() {
        double[][] norms = new double[LAYERS][];
        float[] gradient = new float[width * COLUMNS]; // of a layer's outputs, then of its sums
        Arrays.fill(gradient, 1);
        float[] weights = new float[width];
        for (int layer = LAYERS; layer >= 1; layer--) {
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] *= (float) setting(i % COLUMNS).slope(activations[layer][i]);
            }
            norms[layer - 1] = productNorms(activations[layer - 1], gradient);
            float[] below = new float[width * COLUMNS];
            for (int unit = 0; unit < width && layer > 1; unit++) {
                draw(layer, unit, weights);
                for (int i = 0; i < width; i++) {
                    addScaled(below, i * COLUMNS, gradient, unit * COLUMNS, weights[i]);
                }
            }
            for (int i = 0; i < below.length; i++) {
                below[i] *= (float) stds[setting(i % COLUMNS).ordinal()];
            }
            gradient = below;
        }
        return norms;
    }

    /**
     * |X' G| of each setting, without the product: its square is the sum over all pairs of examples (a, b) of
     * (x_a . x_b) (g_a . g_b).
     */
    private double[] productNorms(float[] x, float[] g) {
        double[] norms = new double[SETTINGS];
        for (int s = 0; s < SETTINGS; s++) {
            double squares = 0;
            for (int a = s * BATCH; a < (s + 1) * BATCH; a++) {
                for (int b = s * BATCH; b < (s + 1) * BATCH; b++) {
                    squares += dot(x, a, b) * dot(g, a, b);
                }
            }
            norms[s] = Math.sqrt(squares);
        }
        return norms;
    }

    private double dot(float[] matrix, int a, int b) {
        double sum = 0;
        for (int i = 0; i < width * COLUMNS; i += COLUMNS) {
            sum += (double) matrix[i + a] * matrix[i + b];
        }
        return sum;
    }

    private LayerStatistics statistics(Setting setting, int layer, double norm) {
        double sum = 0;
        double squares = 0;
        long saturated = 0;
        Long[] histogram = new Long[BINS];
        Arrays.fill(histogram, 0L);
        double binWidth = (setting.greatest() - setting.least()) / BINS;
        for (int i = 0; i < width; i++) {
            for (int n = 0; n < BATCH; n++) {
                float value = activations[layer][i * COLUMNS + setting.ordinal() * BATCH + n];
                sum += value;
                squares += (double) value * value;
                saturated += setting.isSaturated(value) ? 1 : 0;
                histogram[Math.clamp((long) ((value - setting.least()) / binWidth), 0, BINS - 1)]++;
            }
        }
        double count = (double) width * BATCH;
        double mean = sum / count;
        return new LayerStatistics(
                mean,
                Math.sqrt(squares / count - mean * mean),
                Math.sqrt(squares / count),
                saturated / count,
                norm,
                List.of(histogram));
    }
}
