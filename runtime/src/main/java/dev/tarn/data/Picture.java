package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An image under augmentation: bytes (C, H, W), and a second buffer for what cannot be done in place. */
final class Picture {
    final int channels;
    final int height;
    final int width;
    private MemorySegment pixels = MemorySegment.NULL;
    private MemorySegment spare = MemorySegment.NULL;

    Picture(Shape image) {
        channels = (int) image.size(0);
        height = Math.toIntExact(image.size(1));
        width = Math.toIntExact(image.size(2));
    }

    void load(MemorySegment image, MemorySegment room) {
        pixels = image;
        spare = room;
    }

    MemorySegment pixels() {
        return pixels;
    }

    /** Where a technique writes before {@link #swap()}. */
    MemorySegment spare() {
        return spare;
    }

    /** Makes what was written to the spare buffer the image. */
    void swap() {
        MemorySegment image = spare;
        spare = pixels;
        pixels = image;
    }

    /** Pixels of a channel. */
    int plane() {
        return height * width;
    }

    /** Where a row starts. */
    int row(int channel, int y) {
        return (channel * height + y) * width;
    }

    int get(long place) {
        return pixels.get(ValueLayout.JAVA_BYTE, place) & 0xFF;
    }

    void set(long place, int value) {
        pixels.set(ValueLayout.JAVA_BYTE, place, (byte) value);
    }
}
