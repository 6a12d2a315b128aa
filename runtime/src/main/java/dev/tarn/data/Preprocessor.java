package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;

/** A {@link Preprocessing} at work: turns the bytes of an image into floats. For one thread; it allocates nothing. */
interface Preprocessor {
    /**
     * Writes an image.
     *
     * @param raw bytes (C, H, W), plane by plane
     * @param out floats of the same image in memory order H, W, C, from a byte offset on
     */
    void write(MemorySegment raw, MemorySegment out, long offset);

    /** @param image (C, H, W) */
    static Preprocessor of(Preprocessing preprocessing, Shape image) {
        preprocessing.requireImages(image);
        int channels = (int) image.size(0);
        int plane = Math.toIntExact(image.elementCount() / channels);
        return switch (preprocessing) {
            case Normalization normalization -> new TablePreprocessor(normalization, plane);
            case FeatureScaling scaling -> new FeaturePreprocessor(scaling, channels, plane);
            case PrincipalComponents components -> new ComponentsPreprocessor(components, channels, plane);
        };
    }
}
