package dev.tarn.data;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Shifts and scales each feature by its own numbers, in double. */
final class FeaturePreprocessor implements Preprocessor {
    private final int channels;
    private final int plane;
    private final MemorySegment shift; // F64 (C, H, W)
    private final MemorySegment scale; // F64 (C, H, W)

    /** @param plane pixels of a channel */
    FeaturePreprocessor(FeatureScaling scaling, int channels, int plane) {
        this.channels = channels;
        this.plane = plane;
        this.shift = scaling.shift().data();
        this.scale = scaling.scale().data();
    }

    @Override
    public void write(MemorySegment raw, MemorySegment out, long offset) {
        long pixel = 4L * channels;
        for (int c = 0; c < channels; c++) {
            for (int p = 0; p < plane; p++) {
                long feature = (long) c * plane + p;
                int value = raw.get(ValueLayout.JAVA_BYTE, feature) & 0xFF;
                double centred = value - shift.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, feature);
                double scaled = centred / scale.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, feature);
                out.set(ValueLayout.JAVA_FLOAT, offset + 4L * c + p * pixel, (float) scaled);
            }
        }
    }
}
