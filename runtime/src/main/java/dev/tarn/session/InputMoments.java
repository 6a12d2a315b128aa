package dev.tarn.session;

import dev.tarn.tensor.Tensor;
import java.util.Arrays;

/** What the values of images are, channel by channel, in double. */
final class InputMoments {
    private final double[] sums;
    private final double[] squares;
    private final double[] least;
    private final double[] greatest;
    private long count; // of each channel

    InputMoments(int channels) {
        sums = new double[channels];
        squares = new double[channels];
        least = new double[channels];
        greatest = new double[channels];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        Arrays.fill(greatest, Double.NEGATIVE_INFINITY);
    }

    /** @param images (N, C, H, W) or (N, C), the channel innermost in memory */
    void add(Tensor images) {
        long elements = images.shape().elementCount();
        for (long i = 0; i < elements; i++) {
            int c = (int) (i % sums.length);
            double value = images.getAt(i);
            sums[c] += value;
            squares[c] += value * value;
            least[c] = Math.min(least[c], value);
            greatest[c] = Math.max(greatest[c], value);
        }
        count += elements / sums.length;
    }

    double rms() {
        return Math.sqrt(Arrays.stream(squares).sum() / (count * sums.length));
    }

    double mean(int channel) {
        return sums[channel] / count;
    }

    double least(int channel) {
        return least[channel];
    }

    double greatest(int channel) {
        return greatest[channel];
    }

    /** Whether a channel that is not zero has values of one sign, or a mean beyond its standard deviation. */
    boolean isUncentred(int channel) {
        double mean = mean(channel);
        boolean oneSign = least[channel] >= 0 || greatest[channel] <= 0;
        return mean != 0 && (oneSign || 2 * mean * mean > squares[channel] / count);
    }
}
