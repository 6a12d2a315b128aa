package dev.tarn.data;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.tensor.Rng;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SymmetricEigenTest {
    private static double get(MemorySegment matrix, int n, int row, int column) {
        return matrix.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) row * n + column);
    }

    /** A v = lambda v, and the vectors are orthonormal; backward stable, so within some n ulps of the norm. */
    private static void assertDecomposes(double[][] a) {
        int n = a.length;
        MemorySegment matrix = Arena.ofAuto().allocate(8L * n * n, 8);
        double norm = 0;
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < n; k++) {
                matrix.setAtIndex(ValueLayout.JAVA_DOUBLE, (long) i * n + k, k <= i ? a[i][k] : Double.NaN);
                norm += a[i][k] * a[i][k];
            }
        }
        double[] values = SymmetricEigen.decompose(matrix, n);
        double bound = 10 * n * Math.ulp(1.0);
        for (int v = 0; v < n; v++) {
            for (int i = 0; i < n; i++) {
                double product = 0;
                double inner = 0;
                for (int k = 0; k < n; k++) {
                    product += a[i][k] * get(matrix, n, v, k);
                    inner += get(matrix, n, v, k) * get(matrix, n, i, k);
                }
                assertEquals(values[v] * get(matrix, n, v, i), product, bound * Math.sqrt(norm), n + ": " + v);
                assertEquals(v == i ? 1 : 0, inner, bound);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 5, 17, 64, 101})
    void random_matrices(int n) {
        Rng rng = new Rng(n, Rng.Stream.DIGITS, 0);
        double[][] a = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int k = 0; k <= i; k++) {
                a[i][k] = a[k][i] = rng.nextGaussian();
            }
        }
        assertDecomposes(a);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 30})
    void zero_equal_and_low_rank(int n) {
        double[][] zero = new double[n][n];
        assertDecomposes(zero);
        double[][] identity = new double[n][n];
        double[][] rankOne = new double[n][n];
        double[][] graded = new double[n][n];
        for (int i = 0; i < n; i++) {
            identity[i][i] = 3;
            for (int k = 0; k < n; k++) {
                rankOne[i][k] = (i % 3) * (k % 3);
                graded[i][k] = Math.pow(10, -i - k);
            }
        }
        assertDecomposes(identity);
        assertDecomposes(rankOne);
        assertDecomposes(graded);
    }
}
