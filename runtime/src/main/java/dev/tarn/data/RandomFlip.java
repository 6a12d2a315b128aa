package dev.tarn.data;

import dev.tarn.tensor.Shape;

/** Mirrors left and right with probability 1/2. */
record RandomFlip() implements Technique {
    @Override
    public int order() {
        return 2;
    }

    @Override
    public void requireImages(Shape image) {
        // any
    }

    @Override
    public void apply(Picture picture, Draws draws) {
        if (draws.word(0, 2) < 0) {
            mirror(picture);
        }
    }

    static void mirror(Picture picture) {
        for (int row = 0; row < picture.channels * picture.height; row++) {
            int left = row * picture.width;
            int right = left + picture.width - 1;
            for (; left < right; left++, right--) {
                int value = picture.get(left);
                picture.set(left, picture.get(right));
                picture.set(right, value);
            }
        }
    }

    @Override
    public String toString() {
        return "flip";
    }
}
