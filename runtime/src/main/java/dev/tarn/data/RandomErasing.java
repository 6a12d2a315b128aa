package dev.tarn.data;

import dev.tarn.tensor.Shape;

/**
 * Covers a random rectangle with random bytes, with some probability (Zhong et al., "Random erasing data
 * augmentation", 2020, variant RE-R): the area is uniform in 0.02 .. 0.4 of the image's, height / width in 0.3 .. 1 /
 * 0.3. After ten rectangles that do not fit the image stays as it is.
 *
 * @param probability in (0, 1]
 */
record RandomErasing(double probability) implements Technique {
    private static final int LANE = 3;
    private static final int TRIES = 10;
    private static final int FIRST_TRY = 4;
    private static final int NOISE = FIRST_TRY + 4 * TRIES; // the words from there on
    private static final double LEAST_AREA = 0.02;
    private static final double MOST_AREA = 0.4;
    private static final double WIDEST = 0.3;

    RandomErasing {
        if (!(probability > 0 && probability <= 1)) {
            throw new IllegalArgumentException("the probability of erasing is within (0, 1], not " + probability);
        }
    }

    @Override
    public int order() {
        return 4;
    }

    @Override
    public void requireImages(Shape image) {
        // any
    }

    @Override
    public void apply(Picture picture, Draws draws) {
        if (draws.between(0, 1, LANE, 0) >= probability) {
            return;
        }
        for (int i = FIRST_TRY; i < NOISE; i += 4) {
            double area = picture.plane() * draws.between(LEAST_AREA, MOST_AREA, LANE, i);
            double aspect = draws.between(WIDEST, 1 / WIDEST, LANE, i + 1);
            int height = (int) Math.rint(Math.sqrt(area * aspect));
            int width = (int) Math.rint(Math.sqrt(area / aspect));
            if (height < picture.height && width < picture.width) {
                int top = draws.below(picture.height - height + 1, LANE, i + 2);
                int left = draws.below(picture.width - width + 1, LANE, i + 3);
                erase(picture, draws, top, left, height, width);
                return;
            }
        }
    }

    private static void erase(Picture picture, Draws draws, int top, int left, int height, int width) {
        int drawn = 0;
        for (int c = 0; c < picture.channels; c++) {
            for (int y = top; y < top + height; y++) {
                for (int x = left; x < left + width; x++) {
                    int word = draws.word(LANE, NOISE + (drawn >>> 2));
                    picture.set(picture.row(c, y) + x, word >>> 8 * (drawn & 3));
                    drawn++;
                }
            }
        }
    }

    @Override
    public String toString() {
        return "erase=" + probability;
    }
}
