package dev.tarn.data;

import dev.tarn.tensor.Shape;

/**
 * Brightness, contrast and saturation, in this order, each by a factor of its own, uniform in 1 - strength .. 1 +
 * strength (Krizhevsky et al., 2012, and Howard, "Some improvements on deep convolutional neural network based image
 * classification", 2013), with torchvision's formulas: with g the grey of a pixel and m the mean grey of the image,
 *
 * <pre>x = brightness * x;   x = m + contrast * (x - m);   x = g + saturation * (x - g)</pre>
 *
 * each clamped to 0 .. 255, rounded at the end. Grey is 0.299 R + 0.587 G + 0.114 B, and the channels' mean where
 * there are not three.
 *
 * @param strength in (0, 1]
 */
record ColorJitter(double strength) implements Technique {
    private static final int LANE = 2;
    private static final double RED = 0.299;
    private static final double GREEN = 0.587;
    private static final double BLUE = 0.114;

    ColorJitter {
        if (!(strength > 0 && strength <= 1)) {
            throw new IllegalArgumentException("the strength of colour jitter is within (0, 1], not " + strength);
        }
    }

    @Override
    public int order() {
        return 3;
    }

    @Override
    public void requireImages(Shape image) {
        // any
    }

    @Override
    public void apply(Picture picture, Draws draws) {
        change(
                picture,
                draws.between(1 - strength, 1 + strength, LANE, 0),
                draws.between(1 - strength, 1 + strength, LANE, 1),
                draws.between(1 - strength, 1 + strength, LANE, 2));
    }

    static void change(Picture picture, double brightness, double contrast, double saturation) {
        double mean = 0;
        for (int p = 0; p < picture.plane(); p++) {
            mean += grey(picture, p, brightness, 1, 0);
        }
        mean /= picture.plane();
        for (int p = 0; p < picture.plane(); p++) {
            double grey = grey(picture, p, brightness, contrast, mean);
            for (int c = 0; c < picture.channels; c++) {
                int place = c * picture.plane() + p;
                double value = contrasted(picture.get(place), brightness, contrast, mean);
                picture.set(place, (int) Math.rint(clamp(grey + saturation * (value - grey))));
            }
        }
    }

    private static double grey(Picture picture, int p, double brightness, double contrast, double mean) {
        double sum = 0;
        for (int c = 0; c < picture.channels; c++) {
            double value = contrasted(picture.get(c * picture.plane() + p), brightness, contrast, mean);
            sum += weight(c, picture.channels) * value;
        }
        return sum;
    }

    private static double weight(int channel, int channels) {
        return channels != 3 ? 1.0 / channels : channel == 0 ? RED : channel == 1 ? GREEN : BLUE;
    }

    private static double contrasted(int value, double brightness, double contrast, double mean) {
        return clamp(mean + contrast * (clamp(brightness * value) - mean));
    }

    private static double clamp(double value) {
        return Math.clamp(value, 0.0, 255.0);
    }

    @Override
    public String toString() {
        return "jitter=" + strength;
    }
}
