package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.ValueLayout;

/**
 * A window of random area, aspect and place, enlarged to the image's size by bilinear interpolation (Szegedy et al.,
 * "Going deeper with convolutions", 2015), as torchvision's {@code RandomResizedCrop}: the area is uniform in
 * {@code leastArea} .. 1 of the image's, the logarithm of width / height uniform in that of 3/4 .. 4/3. After ten
 * windows that do not fit, the whole image is taken.
 *
 * <p>With pixel centres at halves, {@code y' = (y + 1/2) h / H - 1/2} within the window, whose edge pixels go on
 * outside.
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
        double widest = StrictMath.log(WIDEST);
        for (int i = 0; i < 4 * TRIES; i += 4) {
            double area = picture.plane() * draws.between(leastArea, 1, LANE, i);
            double aspect = StrictMath.exp(draws.between(-widest, widest, LANE, i + 1));
            int height = (int) Math.rint(Math.sqrt(area / aspect));
            int width = (int) Math.rint(Math.sqrt(area * aspect));
            if (height > 0 && width > 0 && height <= picture.height && width <= picture.width) {
                int top = draws.below(picture.height - height + 1, LANE, i + 2);
                int left = draws.below(picture.width - width + 1, LANE, i + 3);
                enlarge(picture, top, left, height, width);
                return;
            }
        }
    }

    static void enlarge(Picture picture, int top, int left, int height, int width) {
        for (int y = 0; y < picture.height; y++) {
            double sourceY = Math.clamp((y + 0.5) * height / picture.height - 0.5, 0.0, height - 1.0);
            int upper = (int) sourceY;
            int lower = Math.min(upper + 1, height - 1);
            for (int x = 0; x < picture.width; x++) {
                double sourceX = Math.clamp((x + 0.5) * width / picture.width - 0.5, 0.0, width - 1.0);
                int west = (int) sourceX;
                int east = Math.min(west + 1, width - 1);
                for (int c = 0; c < picture.channels; c++) {
                    int rowAbove = picture.row(c, top + upper) + left;
                    int rowBelow = picture.row(c, top + lower) + left;
                    double above = mix(picture.get(rowAbove + west), picture.get(rowAbove + east), sourceX - west);
                    double below = mix(picture.get(rowBelow + west), picture.get(rowBelow + east), sourceX - west);
                    byte value = (byte) Math.rint(mix(above, below, sourceY - upper));
                    picture.spare().set(ValueLayout.JAVA_BYTE, picture.row(c, y) + x, value);
                }
            }
        }
        picture.swap();
    }

    private static double mix(double a, double b, double share) {
        return a + share * (b - a);
    }

    @Override
    public String toString() {
        return "resized-crop=" + leastArea;
    }
}
