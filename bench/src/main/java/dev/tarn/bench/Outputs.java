package dev.tarn.bench;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Results of a contender as a file of floats, so that another process can compare them. */
final class Outputs {
    private Outputs() {}

    /** Writes a new file in a folder. */
    static Path write(Path folder, float[] values) throws IOException {
        Path file = Files.createTempFile(folder, "outputs", ".f32");
        long bytes = (long) values.length * Float.BYTES;
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            MemorySegment map = channel.map(FileChannel.MapMode.READ_WRITE, 0, bytes, arena);
            MemorySegment.copy(values, 0, map, ValueLayout.JAVA_FLOAT, 0, values.length);
        }
        return file;
    }

    static float[] read(Path file) throws IOException {
        try (Arena arena = Arena.ofConfined();
                FileChannel channel = FileChannel.open(file)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena)
                    .toArray(ValueLayout.JAVA_FLOAT);
        }
    }

    /**
     * The largest difference as a share of the largest element, which is what rounding is proportional to in sums of
     * many products; infinite if the counts differ, NaN if an element is.
     */
    static double difference(float[] expected, float[] actual) {
        if (expected.length != actual.length) {
            return Double.POSITIVE_INFINITY;
        }
        double largest = Double.MIN_NORMAL;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs((double) expected[i] - actual[i])); // NaN stays
        }
        return difference / largest;
    }
}
