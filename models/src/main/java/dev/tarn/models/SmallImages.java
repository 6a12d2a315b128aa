package dev.tarn.models;

import dev.tarn.tensor.Shape;

/**
 * Images for which a network begins and ends in another way than for photographs: those of up to 64 pixels along an edge, such as
 * CIFAR's. An architecture keeps its name for both, for it is the same but for a few layers, and images of 224 x 224 get
 * torchvision's network, so that its weights fit. Which of the two a weights file holds follows from the image that it states.
 */
final class SmallImages {
    private static final long LARGEST = 64;

    private SmallImages() {}

    /** @param image (C, H, W) */
    static boolean include(Shape image) {
        return Math.max(image.size(1), image.size(2)) <= LARGEST;
    }
}
