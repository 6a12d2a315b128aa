package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;

/**
 * Turns an image of bytes (C, H, W) into augmented and preprocessed floats in memory order H, W, C. For one thread;
 * it allocates nothing after its construction.
 */
final class ImageWriter {
    private final Preprocessor preprocessor;
    private final Augmentation augmentation;
    private final Picture picture;
    private final Draws draws;

    ImageWriter(Shape image, Preprocessing preprocessing, Augmentation augmentation, long seed) {
        this.preprocessor = Preprocessor.of(preprocessing, image);
        this.augmentation = augmentation;
        this.picture = new Picture(image);
        this.draws = new Draws(seed);
    }

    /**
     * Writes an image to {@code out}, starting at a byte offset.
     *
     * @param raw the image as it was read; overwritten where images are augmented
     * @param spare room for another, where images are augmented
     */
    void write(MemorySegment raw, MemorySegment spare, long epoch, long index, MemorySegment out, long offset) {
        picture.load(raw, spare);
        draws.image(epoch, index);
        augmentation.apply(picture, draws);
        preprocessor.write(picture.pixels(), out, offset);
    }
}
