package dev.tarn.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.math.BigInteger;
import java.util.stream.IntStream;

/**
 * Count, sum and sum of squares of bytes, all exact. Mean and deviation are therefore right up to the last rounding,
 * however many bytes there are, and whichever threads decode them.
 *
 * @param count how many bytes
 */
record Moments(long count, long sum, long squares) {
    /** The sums of the bytes at each place over some images, as they come. */
    private record Sums(long[] sums, long[] squares) {
        Sums(int features) {
            this(new long[features], new long[features]);
        }

        void add(MemorySegment image) {
            for (int f = 0; f < sums.length; f++) {
                int value = image.get(ValueLayout.JAVA_BYTE, f) & 0xFF;
                sums[f] += value;
                squares[f] += (long) value * value;
            }
        }

        synchronized void add(Sums others) {
            for (int f = 0; f < sums.length; f++) {
                sums[f] += others.sums[f];
                squares[f] += others.squares[f];
            }
        }
    }

    /** Of the bytes at each place (C, H, W), in that order, over all images. */
    static Moments[] ofFeatures(Dataset dataset) {
        int features = Math.toIntExact(dataset.imageShape().elementCount());
        Sums all = new Sums(features);
        int parts = dataset instanceof DecodedDataset ? Runtime.getRuntime().availableProcessors() : 1;
        IntStream.range(0, parts).parallel().forEach(part -> {
            Sums sums = new Sums(features);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment image = arena.allocate(features);
                for (long i = part; i < dataset.size(); i += parts) {
                    dataset.read(i, image);
                    sums.add(image);
                }
            }
            all.add(sums); // in any order, for integers are exact
        });
        Moments[] moments = new Moments[features];
        for (int f = 0; f < features; f++) {
            moments[f] = new Moments(dataset.size(), all.sums[f], all.squares[f]);
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
