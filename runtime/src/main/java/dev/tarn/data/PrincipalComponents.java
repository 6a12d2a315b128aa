package dev.tarn.data;

import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * Principal component analysis, and whitening. With x an image of D = C*H*W numbers on the scale of 0 to 1, m the
 * mean image and the rows of V the K eigenvectors of the training split's covariance with the largest eigenvalues S:
 *
 * <pre>
 * rotated   z = V (x - m)            uncorrelated numbers of variance S
 * whitened  z = V (x - m) / sqrt(S + 1e-5)      of variance S / (S + 1e-5)
 * </pre>
 *
 * {@link #rotate} gives z. Convolutions need pixels in their places, so a loader turns z back: V' z, which is the
 * centred image without its weakest components, or, whitened, ZCA (Krizhevsky, "Learning multiple layers of features
 * from tiny images", 2009).
 *
 * <p>Measuring takes 8 D^2 bytes off the heap and of the order of N D^2 + D^3 operations: seconds for 784 features,
 * minutes for 3,072. The components stay off the heap, 4 K D bytes beside the data sets, as long as they are
 * reachable.
 *
 * @param mean F64 (C, H, W)
 * @param components F32 (K, D), orthonormal rows, those of the largest variance first
 * @param variances F64 (K), biased: divided by N
 */
public record PrincipalComponents(Tensor mean, Tensor components, Tensor variances, Scale scale)
        implements Preprocessing {
    /** Whether components keep their variances. */
    public enum Scale {
        KEPT,
        WHITENED
    }

    /** The eps in the root, which keeps components without variance from becoming noise. */
    static final double EPS = 1e-5;

    private static final int MOST_FEATURES = 4096;

    public PrincipalComponents {
        long features = mean.shape().elementCount();
        boolean fits = mean.dtype() == DType.F64
                && components.dtype() == DType.F32
                && variances.dtype() == DType.F64
                && variances.shape().rank() == 1
                && components.shape().equals(Shape.of(variances.shape().size(0), features));
        if (!fits) {
            throw new IllegalArgumentException(
                    "components are F32 (K, D) beside means F64 (C, H, W) and variances F64 (K), not %s, %s and %s"
                            .formatted(components, mean, variances));
        }
        for (double variance : variances.toDoubleArray()) {
            if (!Double.isFinite(variance) || variance < 0) {
                throw new IllegalArgumentException("a component has no variance " + variance);
            }
        }
    }

    /**
     * Measures a training split.
     *
     * @param count how many components to keep, the strongest
     * @throws IllegalArgumentException if there are not so many, or images have more than 4,096 features
     */
    public static PrincipalComponents measure(Dataset train, int count, Scale scale) {
        long features = train.imageShape().elementCount();
        if (features > MOST_FEATURES) {
            throw new IllegalArgumentException(
                    "principal components are for images of up to %,d numbers, and %s has %,d; use channel-mean-std"
                            .formatted(MOST_FEATURES, train.imageShape(), features));
        }
        if (count < 1 || count > features) {
            throw new IllegalArgumentException(
                    "images of %s have 1 to %,d components, not %,d".formatted(train.imageShape(), features, count));
        }
        int d = (int) features;
        Tensor mean = tensor(DType.F64, train.imageShape());
        Tensor components = tensor(DType.F32, Shape.of(count, d));
        Tensor variances = tensor(DType.F64, Shape.of(count));
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment matrix = arena.allocate((long) d * d * Double.BYTES, Double.BYTES);
            Covariance.measure(train, mean.data(), matrix);
            double[] values = SymmetricEigen.decompose(matrix, d);
            int[] order = IntStream.range(0, d)
                    .boxed()
                    .sorted(Comparator.comparingDouble(i -> -values[i]))
                    .mapToInt(i -> i)
                    .toArray();
            for (int k = 0; k < count; k++) {
                DType.F64.set(variances.data(), k, Math.max(0, values[order[k]])); // rounding may leave -1e-18
                for (long f = 0; f < d; f++) {
                    double value = matrix.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) order[k] * d + f);
                    DType.F32.set(components.data(), (long) k * d + f, value);
                }
            }
        }
        return new PrincipalComponents(mean, components, variances, scale);
    }

    private static Tensor tensor(DType dtype, Shape shape) {
        MemorySegment memory = Arena.ofAuto().allocate(shape.elementCount() * dtype.byteSize(), Double.BYTES);
        return Tensor.view(memory, dtype, shape, Layout.ROW_MAJOR);
    }

    /** The components of an image of bytes (C, H, W): z, K numbers. */
    public double[] rotate(MemorySegment image) {
        var worker = new ComponentsPreprocessor(this, 1, (int) mean.shape().elementCount());
        worker.rotate(image);
        return worker.rotated().clone();
    }

    @Override
    public void requireImages(Shape image) {
        if (!image.equals(mean.shape())) {
            throw new IllegalArgumentException(
                    "the components are of images %s, and these are %s".formatted(mean.shape(), image));
        }
    }
}
