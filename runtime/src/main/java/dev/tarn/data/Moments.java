package dev.tarn.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;

/**
 * Count, sum and sum of squares of bytes, all exact. Mean and deviation are therefore right up to the last rounding,
 * however many bytes there are.
 *
 * @param count how many bytes
 */
record Moments(long count, long sum, long squares) {
    /** Of the bytes at each place (C, H, W), in that order, over all images. */
    static Moments[] ofFeatures(Dataset dataset) {
        int features = Math.toIntExact(dataset.imageShape().elementCount());
        long[] sums = new long[features];
        long[] squares = new long[features];
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(features);
            for (long i = 0; i < dataset.size(); i++) {
                dataset.read(i, image);
                for (int f = 0; f < features; f++) {
                    int value = image.get(ValueLayout.JAVA_BYTE, f) & 0xFF;
                    sums[f] += value;
                    squares[f] += (long) value * value;
                }
            }
        }
        Moments[] moments = new Moments[features];
        for (int f = 0; f < features; f++) {
            moments[f] = new Moments(dataset.size(), sums[f], squares[f]);
        }
        return moments;
    }

    /** Of all bytes of each channel over all images. */
    static Moments[] ofChannels(Dataset dataset) {
        Moments[] features = ofFeatures(dataset);
        Moments[] channels = new Moments[(int) dataset.imageShape().size(0)];
        int plane = features.length / channels.length;
        for (int c = 0; c < channels.length; c++) {
            Moments all = new Moments(0, 0, 0);
            for (int p = 0; p < plane; p++) {
                all = all.plus(features[c * plane + p]);
            }
            channels[c] = all;
        }
        return channels;
    }

    private Moments plus(Moments other) {
        return new Moments(count + other.count, sum + other.sum, squares + other.squares);
    }

    double mean() {
        return sum / (double) count;
    }

    /** {@code sqrt(E[x^2] - E[x]^2)}; the difference is taken in integers. 0 if and only if all bytes are equal. */
    double std() {
        BigInteger n = BigInteger.valueOf(count);
        BigInteger s = BigInteger.valueOf(sum);
        double variance =
                n.multiply(BigInteger.valueOf(squares)).subtract(s.multiply(s)).doubleValue(); // times n^2
        return Math.sqrt(variance) / count;
    }
}
