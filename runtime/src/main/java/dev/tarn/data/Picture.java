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
    private final Resampling resampling = new Resampling();

    Picture(Shape image) {
        this((int) image.size(0), Math.toIntExact(image.size(1)), Math.toIntExact(image.size(2)));
    }

    Picture(int channels, int height, int width) {
        this.channels = channels;
        this.height = height;
        this.width = width;
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

    /** What this picture is resized with. */
    Resampling resampling() {
        return resampling;
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
