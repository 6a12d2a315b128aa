package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;

/**
 * A window of the image's own size at a uniformly random place of the image padded with zero bytes on all sides, as
 * torchvision's {@code RandomCrop(size, padding)}.
 *
 * @param padding rows and columns of zeros on each side
 */
record RandomCrop(int padding) implements Technique {
    private static final int LANE = 0; // words 0 and 1; the flip has word 2

    RandomCrop {
        if (padding < 0) {
            throw new IllegalArgumentException("the padding of a crop is not negative: " + padding);
        }
    }

    @Override
    public int order() {
        return 1;
    }

    @Override
    public void requireImages(Shape image) {
        if (padding >= Math.min(image.size(1), image.size(2))) {
            throw new IllegalArgumentException("a crop with padding %d could miss images of %d x %d altogether"
                    .formatted(padding, image.size(1), image.size(2)));
        }
    }

    @Override
    public void apply(Picture picture, Draws draws) {
        int places = 2 * padding + 1;
        cut(picture, draws.below(places, LANE, 0) - padding, draws.below(places, LANE, 1) - padding);
    }

    /** Takes the window that starts at (top, left), zeros around the image. */
    static void cut(Picture picture, int top, int left) {
        MemorySegment target = picture.spare();
        target.fill((byte) 0);
        int first = Math.max(0, -left);
        int count = picture.width - Math.abs(left);
        for (int c = 0; c < picture.channels; c++) {
            for (int y = Math.max(0, -top); y < picture.height - Math.max(0, top); y++) {
                int source = picture.row(c, y + top) + first + left;
                MemorySegment.copy(picture.pixels(), source, target, picture.row(c, y) + first, count);
            }
        }
        picture.swap();
    }

    @Override
    public String toString() {
        return "crop=" + padding;
    }
}
