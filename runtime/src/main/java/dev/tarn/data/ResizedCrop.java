package dev.tarn.data;

import dev.tarn.tensor.Shape;

/**
 * A window of random area, aspect and place, resized to the image's size (Szegedy et al., "Going deeper with convolutions", 2015), as
 * torchvision's {@code RandomResizedCrop}: the area is uniform in {@code leastArea} .. 1 of the original's, the logarithm of width / height
 * uniform in that of 3/4 .. 4/3. After ten windows that do not fit, the largest at the centre that has an aspect within these is taken.
 * The window is cut out and resized by {@link Resampling}. The original is what the data set has: the file's whole picture, or the image.
 *
 * @param leastArea in (0, 1]
 */
record ResizedCrop(double leastArea) implements Technique {
    private static final int LANE = 1;
    private static final int TRIES = 10;
    private static final double WIDEST = 4 / 3.0;

    ResizedCrop {
        if (!(leastArea > 0 && leastArea <= 1)) {
            throw new IllegalArgumentException(
                    "the least area of a resized crop is a share within (0, 1], not " + leastArea);
        }
    }

    @Override
    public int order() {
        return 0;
    }

    @Override
    public void requireImages(Shape image) {
        // any
    }

    @Override
    public void apply(Picture picture, Draws draws) {
        cut(picture, draws, picture);
        picture.swap();
    }

    /** Cuts the image from an original of any size; writes it to the image's spare buffer. */
    void cut(Picture original, Draws draws, Picture image) {
        double widest = StrictMath.log(WIDEST);
        for (int i = 0; i < 4 * TRIES; i += 4) {
            double area = original.plane() * draws.between(leastArea, 1, LANE, i);
            double aspect = StrictMath.exp(draws.between(-widest, widest, LANE, i + 1));
            int height = (int) Math.rint(Math.sqrt(area / aspect));
            int width = (int) Math.rint(Math.sqrt(area * aspect));
            if (height > 0 && width > 0 && height <= original.height && width <= original.width) {
                int top = draws.below(original.height - height + 1, LANE, i + 2);
                int left = draws.below(original.width - width + 1, LANE, i + 3);
                resize(original, top, left, height, width, image);
                return;
            }
        }
        int height = (int) Math.min(original.height, Math.rint(original.width * WIDEST));
        int width = (int) Math.min(original.width, Math.rint(original.height * WIDEST));
        resize(original, (original.height - height) / 2, (original.width - width) / 2, height, width, image);
    }

    static void resize(Picture original, int top, int left, int height, int width, Picture image) {
        Resampling resampling = image.resampling();
        resampling.takeColumns(left, width, image.width, 0, image.width);
        resampling.takeRows(top, height, image.height, 0, image.height);
        resampling.write(original, image.spare());
    }

    @Override
    public String toString() {
        return "resized-crop=" + leastArea;
    }
}
