package dev.tarn.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The covariance of all pairs of features, {@code E[xy] - E[x] E[y]}, on the scale of 0 to 1. Products of bytes are
 * integers, and their sums stay below 2^53, so that doubles hold them exactly, in whatever order they are added.
 */
final class Covariance {
    private static final int BLOCK = 32; // images that share a pass over the matrix, which is larger than the caches

    private final int features;
    private final MemorySegment matrix;
    private final double[][] block;
    private final double[] row;
    private final double[] sums;

    private Covariance(int features, MemorySegment matrix) {
        this.features = features;
        this.matrix = matrix;
        this.block = new double[BLOCK][features];
        this.row = new double[features];
        this.sums = new double[features];
    }

    /**
     * Measures all images of a data set.
     *
     * @param mean receives F64 (D)
     * @param matrix receives the lower triangle of F64 (D, D); zero before
     */
    static void measure(Dataset dataset, MemorySegment mean, MemorySegment matrix) {
        int features = Math.toIntExact(dataset.imageShape().elementCount());
        var covariance = new Covariance(features, matrix);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(features);
            int filled = 0;
            for (long i = 0; i < dataset.size(); i++) {
                dataset.read(i, image);
                covariance.take(image, filled++);
                if (filled == BLOCK || i == dataset.size() - 1) {
                    covariance.addProducts(filled);
                    filled = 0;
                }
            }
        }
        covariance.finish(dataset.size(), mean);
    }

    private void take(MemorySegment image, int place) {
        for (int f = 0; f < features; f++) {
            int value = image.get(ValueLayout.JAVA_BYTE, f) & 0xFF;
            block[place][f] = value;
            sums[f] += value;
        }
    }

    private void addProducts(int images) {
        for (int i = 0; i < features; i++) {
            MemorySegment.copy(matrix, ValueLayout.JAVA_DOUBLE, rowStart(i), row, 0, i + 1);
            for (int b = 0; b < images; b++) {
                addScaled(block[b], block[b][i], i + 1);
            }
            MemorySegment.copy(row, 0, matrix, ValueLayout.JAVA_DOUBLE, rowStart(i), i + 1);
        }
    }

    private void addScaled(double[] image, double factor, int count) {
        if (factor != 0) { // many pixels of many data sets are
            for (int k = 0; k < count; k++) {
                row[k] += factor * image[k];
            }
        }
    }

    private long rowStart(int i) {
        return (long) i * features * Double.BYTES;
    }

    private void finish(double n, MemorySegment mean) {
        for (int i = 0; i < features; i++) {
            mean.setAtIndex(ValueLayout.JAVA_DOUBLE, i, sums[i] / n / 255);
            for (int k = 0; k <= i; k++) {
                long place = (long) i * features + k;
                double products = matrix.getAtIndex(ValueLayout.JAVA_DOUBLE, place);
                matrix.setAtIndex(
                        ValueLayout.JAVA_DOUBLE, place, (products - sums[i] * sums[k] / n) / n / (255.0 * 255.0));
            }
        }
    }
}
