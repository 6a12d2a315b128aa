package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;
import dev.tarn.tensor.Rng;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A random matrix with orthonormal rows or, where it has more rows than columns, orthonormal columns (Saxe et al.,
 * "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014). A convolution's
 * weight is the matrix (O, I*KH*KW) of each of its groups. All its directions are equally likely: it comes from
 * normal numbers by Gram and Schmidt's method, done twice, in double.
 */
public final class Orthogonal {
    private Orthogonal() {}

    public static Initializer create() {
        return (parameter, fan, rng) -> {
            long columns = fan.in();
            long rows = parameter.shape().rank() < 2
                    ? 1
                    : fan.out() * parameter.shape().size(1) / fan.in();
            long vectors = Math.min(rows, columns);
            long length = Math.max(rows, columns);
            try (Arena arena = Arena.ofConfined()) {
                MemorySegment basis = arena.allocate(vectors * length * Double.BYTES, Double.BYTES);
                long[] next = {0};
                parameter.fill(() -> {
                    long place = next[0]++ % (rows * columns);
                    if (place == 0) {
                        drawBasis(basis, vectors, length, rng);
                    }
                    long row = place / columns;
                    long column = place % columns;
                    return get(basis, rows <= columns ? row * length + column : column * length + row);
                });
            }
        };
    }

    private static double get(MemorySegment basis, long place) {
        return basis.getAtIndex(ValueLayout.JAVA_DOUBLE, place);
    }

    private static void drawBasis(MemorySegment basis, long vectors, long length, Rng rng) {
        for (long v = 0; v < vectors; v++) {
            for (long k = 0; k < length; k++) {
                basis.setAtIndex(ValueLayout.JAVA_DOUBLE, v * length + k, rng.nextGaussian());
            }
            for (int pass = 0; pass < 2; pass++) { // the second takes away what rounding left of the first
                for (long other = 0; other < v; other++) {
                    addScaled(
                            basis, v * length, other * length, -dot(basis, v * length, other * length, length), length);
                }
            }
            double norm = Math.sqrt(dot(basis, v * length, v * length, length));
            for (long k = v * length; k < (v + 1) * length; k++) {
                basis.setAtIndex(ValueLayout.JAVA_DOUBLE, k, get(basis, k) / norm);
            }
        }
    }

    private static double dot(MemorySegment basis, long a, long b, long length) {
        double sum = 0;
        for (long k = 0; k < length; k++) {
            sum += get(basis, a + k) * get(basis, b + k);
        }
        return sum;
    }

    private static void addScaled(MemorySegment basis, long target, long source, double factor, long length) {
        for (long k = 0; k < length; k++) {
            double value = get(basis, target + k) + factor * get(basis, source + k);
            basis.setAtIndex(ValueLayout.JAVA_DOUBLE, target + k, value);
        }
    }
}
