package dev.tarn.data;

import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Shifts and scales each feature, which is one pixel of one channel, by numbers of its own: a byte b becomes
 * {@code (b - shift) / scale}, computed in double and rounded once.
 *
 * <ul>
 *   <li>{@link #standard}: mean and standard deviation, so that each feature has mean 0 and deviation 1.
 *   <li>{@link #minMax}: {@code 2 (b - min) / (max - min) - 1}, within -1 .. 1.
 *   <li>{@link #meanImage}: minus the mean image, on the scale of 0 to 1 (Krizhevsky et al., "ImageNet classification
 *       with deep convolutional neural networks", 2012).
 * </ul>
 *
 * A feature that is the same in all training images becomes 0 and keeps the scale of 0 to 1; a warning says how many
 * there are.
 *
 * @param shift F64 (C, H, W), in bytes
 * @param scale F64 (C, H, W), in bytes, positive
 */
public record FeatureScaling(Tensor shift, Tensor scale) implements Preprocessing {
    private static final System.Logger LOG = System.getLogger(FeatureScaling.class.getName());
    private static final double WHITE = 255;

    public FeatureScaling {
        if (shift.dtype() != DType.F64
                || scale.dtype() != DType.F64
                || !shift.shape().equals(scale.shape())) {
            throw new IllegalArgumentException(
                    "the scaling of features has a shift and a scale in F64 for each, not %s and %s"
                            .formatted(shift, scale));
        }
        double[] shifts = shift.toDoubleArray();
        double[] scales = scale.toDoubleArray();
        for (int f = 0; f < shifts.length; f++) {
            if (!Double.isFinite(shifts[f]) || !Double.isFinite(scales[f]) || scales[f] <= 0) {
                throw new IllegalArgumentException(
                        "feature %d has shift %s and scale %s; both must be finite, the latter positive"
                                .formatted(f, shifts[f], scales[f]));
            }
        }
    }

    /** How one feature is scaled. */
    @FunctionalInterface
    private interface Rule {
        /** The pair (shift, scale); scale 0 for a constant feature. */
        double[] of(int feature);
    }

    /** Mean 0 and standard deviation 1 for each feature. */
    public static FeatureScaling standard(Dataset train) {
        Moments[] moments = Moments.ofFeatures(train);
        return of(train.imageShape(), f -> new double[] {moments[f].mean(), moments[f].std()});
    }

    /** The mean image, taken away. */
    public static FeatureScaling meanImage(Dataset train) {
        Moments[] moments = Moments.ofFeatures(train);
        return of(train.imageShape(), f -> new double[] {moments[f].mean(), WHITE});
    }

    /** From -1 for each feature's least value to 1 for its greatest, exactly. */
    public static FeatureScaling minMax(Dataset train) {
        int features = Math.toIntExact(train.imageShape().elementCount());
        int[] least = new int[features];
        int[] greatest = new int[features];
        Arrays.fill(least, (int) WHITE);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(features);
            for (long i = 0; i < train.size(); i++) {
                train.read(i, image);
                for (int f = 0; f < features; f++) {
                    int value = image.get(ValueLayout.JAVA_BYTE, f) & 0xFF;
                    least[f] = Math.min(least[f], value);
                    greatest[f] = Math.max(greatest[f], value);
                }
            }
        }
        // Halves of small integers are exact in binary, and with them the quotients at both ends.
        return of(train.imageShape(), f ->
                new double[] {(least[f] + greatest[f]) / 2.0, (greatest[f] - least[f]) / 2.0});
    }

    private static FeatureScaling of(Shape image, Rule rule) {
        Tensor shift = Tensor.view(memory(image), DType.F64, image, Layout.ROW_MAJOR);
        Tensor scale = Tensor.view(memory(image), DType.F64, image, Layout.ROW_MAJOR);
        int constant = 0;
        for (int f = 0; f < image.elementCount(); f++) {
            double[] pair = rule.of(f);
            constant += pair[1] == 0 ? 1 : 0;
            DType.F64.set(shift.data(), f, pair[0]);
            DType.F64.set(scale.data(), f, pair[1] == 0 ? WHITE : pair[1]);
        }
        if (constant > 0) {
            LOG.log(
                    Level.WARNING,
                    "{0} of {1} features are the same in all images; they become 0",
                    constant,
                    image.elementCount());
        }
        return new FeatureScaling(shift, scale);
    }

    private static MemorySegment memory(Shape image) {
        return Arena.ofAuto().allocate(image.elementCount() * Double.BYTES, Double.BYTES);
    }

    /** The byte that a feature, counted in the order C, H, W, had before: {@code value * scale + shift}. */
    public double inverse(double value, long feature) {
        return value * DType.F64.get(scale.data(), feature) + DType.F64.get(shift.data(), feature);
    }

    @Override
    public void requireImages(Shape image) {
        if (!image.equals(shift.shape())) {
            throw new IllegalArgumentException(
                    "the preprocessing is of images %s, and these are %s".formatted(shift.shape(), image));
        }
    }
}
