package dev.tarn.data;

import dev.tarn.tensor.Shape;

/**
 * One way to change an image at random. What it does is a function of the image and the {@link Draws}, which it takes
 * from a lane of its own.
 */
sealed interface Technique permits ResizedCrop, RandomCrop, RandomFlip, ColorJitter, RandomErasing {
    /** Its place among the techniques that are applied to an image. */
    int order();

    /** @throws IllegalArgumentException if it cannot be applied to images (C, H, W) of that shape */
    void requireImages(Shape image);

    void apply(Picture picture, Draws draws);
}
