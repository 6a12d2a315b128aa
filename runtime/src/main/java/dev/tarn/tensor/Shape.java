package dev.tarn.tensor;

import java.util.Arrays;
import java.util.stream.Collectors;

/** The sizes of a tensor's dimensions in logical order: images are (N, C, H, W), whatever their order in memory. Immutable. */
public final class Shape {
    private final long[] sizes;
    private final long elementCount;

    private Shape(long[] sizes) {
        this.sizes = sizes;
        long product = 1;
        for (long size : sizes) {
            if (size < 0) {
                throw new IllegalArgumentException("a shape's sizes are not negative: " + Arrays.toString(sizes));
            }
            try {
                product = Math.multiplyExact(product, size);
            } catch (ArithmeticException e) {
                throw new IllegalArgumentException("a shape's element count exceeds 2^63: " + Arrays.toString(sizes));
            }
        }
        this.elementCount = product;
    }

    /** A shape of those sizes; none gives a scalar. */
    public static Shape of(long... sizes) {
        return new Shape(sizes.clone());
    }

    /** Number of dimensions. */
    public int rank() {
        return sizes.length;
    }

    /** Size of dimension {@code i}; negative {@code i} counts from the end. */
    public long size(int i) {
        return sizes[i < 0 ? sizes.length + i : i];
    }

    /** Product of all sizes. */
    public long elementCount() {
        return elementCount;
    }

    /** This shape with another first size: the same images in another batch. */
    public Shape withBatch(long n) {
        long[] copy = sizes.clone();
        copy[0] = n;
        return new Shape(copy);
    }

    /** Whether a batch of this shape fits where {@code largest} was planned: as many examples or fewer, at least one. */
    public boolean isBatchOf(Shape largest) {
        return rank() > 0
                && sizes[0] >= 1
                && sizes[0] <= largest.sizes[0]
                && Arrays.equals(sizes, 1, sizes.length, largest.sizes, 1, largest.sizes.length);
    }

    public long[] toArray() {
        return sizes.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Shape s && Arrays.equals(sizes, s.sizes);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sizes);
    }

    /** {@code (64, 3, 32, 32)} */
    @Override
    public String toString() {
        return Arrays.stream(sizes).mapToObj(Long::toString).collect(Collectors.joining(", ", "(", ")"));
    }
}
