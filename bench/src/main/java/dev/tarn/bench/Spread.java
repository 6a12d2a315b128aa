package dev.tarn.bench;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Several measurements of one quantity. */
public record Spread(double median, double least, double most) {
    /** The middle value, or the mean of the two in the middle, and the extremes. */
    public static Spread of(List<Double> values) {
        if (values.isEmpty()) {
            throw new IllegalArgumentException("there is no median of no values");
        }
        double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
        Arrays.sort(sorted);
        double median = (sorted[(sorted.length - 1) / 2] + sorted[sorted.length / 2]) / 2;
        return new Spread(median, sorted[0], sorted[sorted.length - 1]);
    }

    /** Quotients of measurements that were taken side by side. */
    public static Spread ofRatios(List<Double> dividends, List<Double> divisors) {
        if (dividends.size() != divisors.size()) {
            throw new IllegalArgumentException(
                    "%d measurements beside %d".formatted(dividends.size(), divisors.size()));
        }
        return of(java.util.stream.IntStream.range(0, dividends.size())
                .mapToObj(i -> dividends.get(i) / divisors.get(i))
                .toList());
    }

    /** {@code 1,234 (1,200 .. 1,250)}, with as many decimals as three digits need. */
    @Override
    public String toString() {
        return "%s (%s .. %s)".formatted(text(median), text(least), text(most));
    }

    /** A number with at least three digits. */
    static String text(double value) {
        String format = value >= 100 ? "%,.0f" : value >= 10 ? "%.1f" : "%.2f";
        return String.format(Locale.ROOT, format, value);
    }
}
