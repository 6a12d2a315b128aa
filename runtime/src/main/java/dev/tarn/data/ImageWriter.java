package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Reads images of bytes (C, H, W) and turns them into augmented and preprocessed floats in memory order H, W, C. For one thread; it
 * allocates nothing after its construction but what decoding takes.
 */
final class ImageWriter {
    private final Dataset dataset;
    private final Preprocessor preprocessor;
    private final Augmentation augmentation;
    private final Picture picture;
    private final Draws draws;

    ImageWriter(Dataset dataset, Preprocessing preprocessing, Augmentation augmentation, long seed) {
        Shape image = dataset.imageShape();
        this.dataset = dataset;
        this.preprocessor = Preprocessor.of(preprocessing, image);
        this.augmentation = augmentation;
        this.picture = new Picture(image);
        this.draws = new Draws(seed);
    }

    /**
     * Writes an image to {@code out}, starting at a byte offset.
     *
     * @param raw room for the image as it is read
     * @param spare room for another, where images are augmented
     */
    void write(long epoch, long index, MemorySegment raw, MemorySegment spare, MemorySegment out, long offset) {
        picture.load(raw, spare);
        draws.image(epoch, index);
        if (dataset instanceof DecodedDataset decoded && augmentation.cutsOriginals()) {
            try (Arena arena = Arena.ofConfined()) {
                augmentation.apply(decoded.decode(index, arena), picture, draws);
            }
        } else {
            dataset.read(index, raw);
            augmentation.apply(picture, draws);
        }
        preprocessor.write(picture.pixels(), out, offset);
    }
}
