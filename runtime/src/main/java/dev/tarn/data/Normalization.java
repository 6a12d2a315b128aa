package dev.tarn.data;

import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Centres and scales pixels channel by channel: a byte b becomes {@code (b / 255 - mean) / std}. The numbers belong to the
 * training split, are stored with the model, and are applied unchanged everywhere else.
 *
 * @param mean of each channel, on the scale of 0 to 1
 * @param std standard deviation of each channel, on that scale
 */
public record Normalization(List<Float> mean, List<Float> std) {
    private static final System.Logger LOG = System.getLogger(Normalization.class.getName());
    private static final int VALUES = 256;

    public Normalization {
        mean = List.copyOf(mean);
        std = List.copyOf(std);
        if (mean.isEmpty() || mean.size() != std.size()) {
            throw new IllegalArgumentException(
                    "normalization has %d means and %d standard deviations; each channel has one of both"
                            .formatted(mean.size(), std.size()));
        }
        for (int c = 0; c < mean.size(); c++) {
            if (!Float.isFinite(mean.get(c)) || !Float.isFinite(std.get(c)) || std.get(c) <= 0) {
                throw new IllegalArgumentException(
                        "normalization of channel %d: mean %s and standard deviation %s; both must be finite, the latter positive"
                                .formatted(c, mean.get(c), std.get(c)));
            }
        }
    }

    /** Only the scale of 0 to 1: mean 0, standard deviation 1. */
    public static Normalization unit(int channels) {
        return new Normalization(Collections.nCopies(channels, 0f), Collections.nCopies(channels, 1f));
    }

    /**
     * The mean and {@code sqrt(E[x^2] - E[x]^2)} of each channel over all pixels of all images. Exact up to the last rounding:
     * bytes are counted, and the difference is taken in integers. A channel without any variation gets the standard deviation 1
     * and a warning.
     */
    public static Normalization measure(Dataset dataset) {
        int channels = (int) dataset.imageShape().size(0);
        List<Float> mean = new ArrayList<>();
        List<Float> std = new ArrayList<>();
        long[][] counts = counts(dataset, channels);
        for (int c = 0; c < channels; c++) {
            BigInteger n = BigInteger.ZERO;
            BigInteger sum = BigInteger.ZERO;
            BigInteger squares = BigInteger.ZERO;
            for (int value = 0; value < VALUES; value++) {
                BigInteger count = BigInteger.valueOf(counts[c][value]);
                n = n.add(count);
                sum = sum.add(count.multiply(BigInteger.valueOf(value)));
                squares = squares.add(count.multiply(BigInteger.valueOf((long) value * value)));
            }
            double variance = n.multiply(squares).subtract(sum.multiply(sum)).doubleValue(); // times n^2
            if (variance == 0) {
                LOG.log(
                        Level.WARNING,
                        "channel {0} is constant over all images; its standard deviation is taken as 1",
                        c);
            }
            mean.add((float) (sum.doubleValue() / n.doubleValue() / 255));
            std.add(variance == 0 ? 1f : (float) (Math.sqrt(variance) / n.doubleValue() / 255));
        }
        return new Normalization(mean, std);
    }

    private static long[][] counts(Dataset dataset, int channels) {
        long[][] counts = new long[channels][VALUES];
        long imageBytes = dataset.imageShape().elementCount();
        long plane = imageBytes / channels;
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(imageBytes);
            for (long i = 0; i < dataset.size(); i++) {
                dataset.read(i, image);
                for (int c = 0; c < channels; c++) {
                    for (long p = c * plane; p < (c + 1) * plane; p++) {
                        counts[c][image.get(ValueLayout.JAVA_BYTE, p) & 0xFF]++;
                    }
                }
            }
        }
        return counts;
    }

    /** The number of channels. */
    public int channels() {
        return mean.size();
    }

    /**
     * What each byte of each channel becomes, channel by channel. In float and in this order of operations, as torchvision
     * does it, so that both give the same bits.
     */
    float[] table() {
        float[] table = new float[channels() * VALUES];
        for (int c = 0; c < channels(); c++) {
            float m = mean.get(c);
            float s = std.get(c);
            for (int value = 0; value < VALUES; value++) {
                table[c * VALUES + value] = (value / 255f - m) / s;
            }
        }
        return table;
    }
}
