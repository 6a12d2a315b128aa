package dev.tarn.data;

import dev.tarn.data.Augmentation.Flip;
import dev.tarn.tensor.Philox;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Turns an image of bytes (C, H, W) into augmented and normalized floats in memory order H, W, C, in one pass. For one thread; it
 * allocates nothing after its construction.
 */
final class ImageWriter {
    private static final long LOW_32 = 0xFFFFFFFFL;

    private final int channels;
    private final int height;
    private final int width;
    private final float[] table; // (C, 256)
    private final Augmentation augmentation;
    private final long seed;
    private final int[] words = new int[4];

    ImageWriter(Shape image, Normalization normalization, Augmentation augmentation, long seed) {
        this.channels = (int) image.size(0);
        this.height = Math.toIntExact(image.size(1));
        this.width = Math.toIntExact(image.size(2));
        this.table = normalization.table();
        this.augmentation = augmentation;
        this.seed = seed;
    }

    /** Writes the image to {@code out}, starting at a byte offset. */
    void write(MemorySegment raw, long epoch, long index, MemorySegment out, long offset) {
        if (augmentation.equals(Augmentation.NONE)) {
            write(raw, 0, 0, Flip.NEVER, out, offset);
            return;
        }
        int stream = Rng.Stream.AUGMENT.ordinal() | (int) (epoch >>> 32) << 8;
        Philox.words(seed, stream, (int) epoch, index, words);
        boolean mirrored = augmentation.flip() == Flip.HORIZONTAL && words[2] < 0;
        write(raw, shift(words[0]), shift(words[1]), mirrored ? Flip.HORIZONTAL : Flip.NEVER, out, offset);
    }

    /** Uniform in -padding .. padding, up to a bias below 2^-24. */
    private int shift(int word) {
        int padding = augmentation.padding();
        return (int) ((word & LOW_32) * (2L * padding + 1) >>> 32) - padding;
    }

    /** Takes the window that starts at (top, left) of the image, zeros around it, mirrored or not. */
    void write(MemorySegment raw, int top, int left, Flip flip, MemorySegment out, long offset) {
        int step = flip == Flip.HORIZONTAL ? -1 : 1;
        int start = flip == Flip.HORIZONTAL ? left + width - 1 : left;
        long pixel = 4L * channels;
        for (int c = 0; c < channels; c++) {
            int values = c * 256;
            for (int y = 0; y < height; y++) {
                int sourceY = y + top;
                long row = ((long) c * height + sourceY) * width;
                boolean outside = sourceY < 0 || sourceY >= height;
                long target = offset + 4L * c + y * width * pixel;
                for (int x = 0; x < width; x++) {
                    int sourceX = start + x * step;
                    int value = outside || sourceX < 0 || sourceX >= width
                            ? 0
                            : raw.get(ValueLayout.JAVA_BYTE, row + sourceX) & 0xFF;
                    out.set(ValueLayout.JAVA_FLOAT, target + x * pixel, table[values + value]);
                }
            }
        }
    }
}
