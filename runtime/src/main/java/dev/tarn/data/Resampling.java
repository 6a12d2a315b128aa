package dev.tarn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Resizes planes of bytes with antialiasing, byte for byte as Pillow's {@code Image.resize(size, BILINEAR)}, which torchvision's
 * transforms call: with pixel centres at halves, output pixel i of an axis that is scaled by s = source / output lies at
 * {@code (i + 1/2) s} and is the mean of the source pixels within {@code max(s, 1)} of it, weighted by a triangle. Weights are rounded
 * to 22 bits after the point, columns are reduced first, and sums are rounded to bytes after each of the two passes (Pillow,
 * {@code src/libImaging/Resample.c}).
 *
 * <p>Only the part of the result that is asked for is computed. For one thread; it allocates where it meets larger images than before.
 */
final class Resampling {
    private static final int PRECISION =
            32 - 8 - 2; // a byte, and a carry and a sign as Pillow has them for other filters
    private static final int HALF = 1 << (PRECISION - 1);

    private final Axis columns = new Axis();
    private final Axis rows = new Axis();
    private byte[] line = {};
    private byte[] between = {}; // rows of the source, columns of the result
    private int[] sums = {};

    /** One axis: which source pixels make each output pixel, and with which weights. */
    private static final class Axis {
        private int count;
        private int taps;
        private int[] first = {};
        private int[] used = {};
        private int[] weights = {};

        void plan(int start, int length, long scaledTo, long from, int outputs) {
            double scale = (double) length / scaledTo;
            double support = Math.max(scale, 1);
            count = outputs;
            taps = (int) Math.ceil(support) * 2 + 1;
            if (first.length < outputs) {
                first = new int[outputs];
                used = new int[outputs];
            }
            if (weights.length < outputs * taps) {
                weights = new int[outputs * taps];
            }
            for (int i = 0; i < outputs; i++) {
                double centre = (from + i + 0.5) * scale;
                int low = (int) Math.max(centre - support + 0.5, 0);
                int high = (int) Math.min(centre + support + 0.5, length);
                first[i] = start + low;
                used[i] = high - low;
                weigh(i * taps, low, high, centre, support);
            }
        }

        private void weigh(int place, int low, int high, double centre, double support) {
            double sum = 0;
            for (int x = low; x < high; x++) {
                sum += triangle((x - centre + 0.5) * (1 / support)); // as Pillow multiplies
            }
            for (int x = low; x < high; x++) {
                double share = triangle((x - centre + 0.5) * (1 / support)) / sum;
                weights[place + x - low] = (int) (0.5 + share * (1 << PRECISION));
            }
        }

        private static double triangle(double x) {
            return Math.max(1 - Math.abs(x), 0);
        }

        int start() {
            return first[0];
        }

        int end() {
            return first[count - 1] + used[count - 1];
        }
    }

    /**
     * Of the columns {@code start .. start + length} of the source, scaled to so many, takes those from {@code from} on.
     *
     * @param count how many to take
     */
    void takeColumns(int start, int length, long scaledTo, long from, int count) {
        columns.plan(start, length, scaledTo, from, count);
    }

    /** Likewise of the rows. */
    void takeRows(int start, int length, long scaledTo, long from, int count) {
        rows.plan(start, length, scaledTo, from, count);
    }

    /** Writes the rows and columns that were chosen of all planes, one plane after another. */
    void write(Picture source, MemorySegment target) {
        int lines = rows.end() - rows.start();
        if (between.length < lines * columns.count) {
            between = new byte[lines * columns.count];
        }
        if (line.length < Math.max(columns.end() - columns.start(), columns.count)) {
            line = new byte[Math.max(columns.end() - columns.start(), columns.count)];
        }
        if (sums.length < columns.count) {
            sums = new int[columns.count];
        }
        for (int c = 0; c < source.channels; c++) {
            for (int y = 0; y < lines; y++) {
                reduceColumns(source, c, y);
            }
            for (int y = 0; y < rows.count; y++) {
                reduceRows(y);
                long place = ((long) c * rows.count + y) * columns.count;
                MemorySegment.copy(line, 0, target, ValueLayout.JAVA_BYTE, place, columns.count);
            }
        }
    }

    private void reduceColumns(Picture source, int channel, int y) {
        int start = columns.start();
        MemorySegment.copy(
                source.pixels(),
                ValueLayout.JAVA_BYTE,
                source.row(channel, rows.start() + y) + start,
                line,
                0,
                columns.end() - start);
        for (int x = 0; x < columns.count; x++) {
            int sum = HALF;
            int weight = x * columns.taps;
            int pixel = columns.first[x] - start;
            for (int t = 0; t < columns.used[x]; t++) {
                sum += (line[pixel + t] & 0xFF) * columns.weights[weight + t];
            }
            between[y * columns.count + x] = (byte) Math.min(sum >> PRECISION, 255);
        }
    }

    private void reduceRows(int y) {
        int count = columns.count;
        for (int x = 0; x < count; x++) {
            sums[x] = HALF;
        }
        for (int t = 0; t < rows.used[y]; t++) {
            int weight = rows.weights[y * rows.taps + t];
            int place = (rows.first[y] - rows.start() + t) * count;
            for (int x = 0; x < count; x++) {
                sums[x] += (between[place + x] & 0xFF) * weight;
            }
        }
        for (int x = 0; x < count; x++) {
            line[x] = (byte) Math.min(sums[x] >> PRECISION, 255);
        }
    }
}
