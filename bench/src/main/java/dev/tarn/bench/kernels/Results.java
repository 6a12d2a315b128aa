package dev.tarn.bench.kernels;

/** Compares what kernels compute before they are timed. */
final class Results {
    /** Against the largest element; rounding stays a hundred times below, a wrong kernel does not. */
    private static final double TOLERANCE = 1e-4;

    private Results() {}

    static void requireEqual(float[] expected, float[] actual, String what) {
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs((double) expected[i] - actual[i])); // NaN stays
        }
        if (!(difference <= TOLERANCE * largest)) {
            throw new IllegalStateException(
                    "%s differs from the reference by %g of at most %g".formatted(what, difference, largest));
        }
    }
}
