package dev.tarn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Looks each byte up in its channel's table: the fastest there is, and enough where a channel's pixels are treated
 * alike.
 */
final class TablePreprocessor implements Preprocessor {
    private final int channels;
    private final int plane;
    private final float[] table; // (C, 256)

    /** @param plane pixels of a channel */
    TablePreprocessor(Normalization normalization, int plane) {
        this.channels = normalization.channels();
        this.plane = plane;
        this.table = normalization.table();
    }

    @Override
    public void write(MemorySegment raw, MemorySegment out, long offset) {
        long pixel = 4L * channels;
        for (int c = 0; c < channels; c++) {
            int values = c * 256;
            long source = (long) c * plane;
            long target = offset + 4L * c;
            for (int p = 0; p < plane; p++) {
                int value = raw.get(ValueLayout.JAVA_BYTE, source + p) & 0xFF;
                out.set(ValueLayout.JAVA_FLOAT, target + p * pixel, table[values + value]);
            }
        }
    }
}
