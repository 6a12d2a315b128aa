package dev.tarn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * Eigenvalues and eigenvectors of a real symmetric matrix, in double: Householder's reflections make it tridiagonal,
 * then the QL method with implicit shifts makes it diagonal (Golub and Van Loan, "Matrix computations", 4th edition,
 * sections 8.3.1 and 8.3.3). About 4 n^3 multiplications; errors are some units in the last place of the largest
 * eigenvalue.
 *
 * <p>The matrix lies off the heap, row by row, and all inner loops run along rows: where the textbook keeps
 * eigenvectors as columns, this keeps them as rows.
 */
final class SymmetricEigen {
    private static final int MOST_ITERATIONS = 60; // for each eigenvalue; two or three are usual

    private final MemorySegment matrix; // F64 (n, n)
    private final int n;
    private final double[] diagonal;
    private final double[] below; // below[i] stands left of diagonal[i], later right of it
    private final double[] reflector;
    private final double[] product;

    private SymmetricEigen(MemorySegment matrix, int n) {
        this.matrix = matrix;
        this.n = n;
        this.diagonal = new double[n];
        this.below = new double[n];
        this.reflector = new double[n];
        this.product = new double[n];
    }

    /**
     * Replaces a matrix, of which the lower triangle is read, by its eigenvectors: row i belongs to value i.
     *
     * @return the eigenvalues, in no order
     */
    static double[] decompose(MemorySegment matrix, int n) {
        var eigen = new SymmetricEigen(matrix, n);
        double[] halfSquares = eigen.makeTridiagonal();
        eigen.accumulate(halfSquares);
        eigen.makeDiagonal();
        return eigen.diagonal;
    }

    private double get(int row, int column) {
        return matrix.getAtIndex(ValueLayout.JAVA_DOUBLE, (long) row * n + column);
    }

    private void set(int row, int column, double value) {
        matrix.setAtIndex(ValueLayout.JAVA_DOUBLE, (long) row * n + column, value);
    }

    /**
     * From the last row up: reflects so that all entries of row i before its neighbour of the diagonal vanish. The
     * reflector u, of {@code I - u u' / h}, takes their place in the row.
     *
     * @return h of each row; 0 where nothing had to vanish
     */
    private double[] makeTridiagonal() {
        double[] halfSquares = new double[n];
        for (int i = n - 1; i > 0; i--) {
            double squares = 0;
            for (int k = 0; k < i; k++) {
                reflector[k] = get(i, k);
                squares += reflector[k] * reflector[k];
            }
            double neighbour = reflector[i - 1];
            if (squares == neighbour * neighbour) {
                below[i] = neighbour;
                continue;
            }
            double length = -Math.copySign(Math.sqrt(squares), neighbour);
            below[i] = length;
            halfSquares[i] = squares - neighbour * length;
            reflector[i - 1] = neighbour - length;
            set(i, i - 1, reflector[i - 1]);
            reflectBothSides(i, halfSquares[i]);
        }
        for (int i = 0; i < n; i++) {
            diagonal[i] = get(i, i);
        }
        return halfSquares;
    }

    /** A - u q' - q u' on the leading rows, with q = p - (u'p / 2h) u and p = A u / h. */
    private void reflectBothSides(int size, double h) {
        Arrays.fill(product, 0, size, 0);
        for (int row = 0; row < size; row++) {
            double sum = get(row, row) * reflector[row];
            for (int k = 0; k < row; k++) {
                double value = get(row, k);
                sum += value * reflector[k];
                product[k] += value * reflector[row];
            }
            product[row] += sum;
        }
        double along = 0;
        for (int k = 0; k < size; k++) {
            product[k] /= h;
            along += product[k] * reflector[k];
        }
        for (int k = 0; k < size; k++) {
            product[k] -= along / (2 * h) * reflector[k];
        }
        for (int row = 0; row < size; row++) {
            for (int k = 0; k <= row; k++) {
                set(row, k, get(row, k) - reflector[row] * product[k] - product[row] * reflector[k]);
            }
        }
    }

    /**
     * Multiplies all reflections in place: when row i is reached, the rows before it hold the product and row i its
     * reflector.
     */
    private void accumulate(double[] halfSquares) {
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < i; k++) {
                reflector[k] = get(i, k);
            }
            for (int row = 0; row < i && halfSquares[i] != 0; row++) {
                double along = 0;
                for (int k = 0; k < i; k++) {
                    along += get(row, k) * reflector[k];
                }
                for (int k = 0; k < i; k++) {
                    set(row, k, get(row, k) - along / halfSquares[i] * reflector[k]);
                }
            }
            for (int k = 0; k < i; k++) {
                set(i, k, 0);
                set(k, i, 0);
            }
            set(i, i, 1);
        }
    }

    private void makeDiagonal() {
        System.arraycopy(below, 1, below, 0, n - 1);
        below[n - 1] = 0;
        double norm = 0;
        for (int i = 0; i < n; i++) {
            norm = Math.max(norm, Math.abs(diagonal[i]) + Math.abs(below[i]));
        }
        double negligible = Math.ulp(norm);
        for (int first = 0; first < n; first++) {
            int iterations = 0;
            for (int last = end(first, negligible); last > first; last = end(first, negligible)) {
                if (++iterations > MOST_ITERATIONS) {
                    throw new ArithmeticException("the eigenvalues of %d features do not settle".formatted(n));
                }
                sweep(first, last);
            }
        }
    }

    /** The last row of the block that starts at {@code first} and has no negligible entry beside its diagonal. */
    private int end(int first, double negligible) {
        int last = first;
        while (last < n - 1 && Math.abs(below[last]) > negligible) {
            last++;
        }
        return last;
    }

    /** One QL step with Wilkinson's shift: rotations from the block's last row up to its first. */
    private void sweep(int first, int last) {
        double half = (diagonal[first + 1] - diagonal[first]) / (2 * below[first]);
        double root = Math.copySign(Math.hypot(half, 1), half);
        double g = diagonal[last] - diagonal[first] + below[first] / (half + root);
        double sine = 1;
        double cosine = 1;
        double shift = 0;
        for (int i = last - 1; i >= first; i--) {
            double f = sine * below[i];
            double b = cosine * below[i];
            double length = Math.hypot(f, g);
            below[i + 1] = length;
            if (length == 0) { // the block falls apart here
                diagonal[i + 1] -= shift;
                below[last] = 0;
                return;
            }
            sine = f / length;
            cosine = g / length;
            g = diagonal[i + 1] - shift;
            double r = (diagonal[i] - g) * sine + 2 * cosine * b;
            shift = sine * r;
            diagonal[i + 1] = g + shift;
            g = cosine * r - b;
            rotate(i, cosine, sine);
        }
        diagonal[first] -= shift;
        below[first] = g;
        below[last] = 0;
    }

    private void rotate(int row, double cosine, double sine) {
        for (int k = 0; k < n; k++) {
            double upper = get(row, k);
            double lower = get(row + 1, k);
            set(row + 1, k, sine * upper + cosine * lower);
            set(row, k, cosine * upper - sine * lower);
        }
    }
}
