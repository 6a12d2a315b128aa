package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Random changes to training images that keep their class. What happens to an image is a pure function of (seed,
 * epoch, index), and no technique's random numbers depend on which others there are. All work on bytes, before the
 * preprocessing, in this order: resized crop, crop, flip, jitter, erase.
 *
 * <pre>{@code Augmentation.NONE.crop(4).flip()}</pre>
 */
public final class Augmentation {
    /** Images as they are. */
    public static final Augmentation NONE = new Augmentation();

    private static final String NAMES = "none, crop=4, flip, resized-crop=0.08, jitter=0.4 or erase=0.25";
    private static final double NO_NUMBER = Double.NaN;

    private final Technique[] techniques;

    private Augmentation(Technique... techniques) {
        this.techniques = techniques;
    }

    /** Adds a technique, or puts it in the place of one of its kind. */
    private Augmentation with(Technique technique) {
        return new Augmentation(Stream.concat(
                        Arrays.stream(techniques).filter(t -> t.order() != technique.order()), Stream.of(technique))
                .sorted(Comparator.comparingInt(Technique::order))
                .toArray(Technique[]::new));
    }

    /**
     * A window of the image's size at a random place of the image padded with zero bytes.
     *
     * @param padding rows and columns on each side; 4 is usual for 32 x 32 images
     */
    public Augmentation crop(int padding) {
        return with(new RandomCrop(padding));
    }

    /** Mirrors left and right with probability 1/2. */
    public Augmentation flip() {
        return with(new RandomFlip());
    }

    /**
     * A window of random area, aspect and place, resized to the image's size. Of pictures in files it is cut from the whole picture.
     *
     * @param leastArea share of the picture, in (0, 1]; 0.08 is usual
     */
    public Augmentation resizedCrop(double leastArea) {
        return with(new ResizedCrop(leastArea));
    }

    /**
     * Changes brightness, contrast and saturation by factors within 1 - strength .. 1 + strength.
     *
     * @param strength in (0, 1]
     */
    public Augmentation jitter(double strength) {
        return with(new ColorJitter(strength));
    }

    /**
     * Covers a rectangle of 2 to 40 % of the image with random bytes.
     *
     * @param probability that it happens to an image, in (0, 1]
     */
    public Augmentation erase(double probability) {
        return with(new RandomErasing(probability));
    }

    /**
     * Reads names separated by commas, some with a number:
     * {@code crop=4,flip,resized-crop=0.08,jitter=0.4,erase=0.25}, or {@code none}. Without its number a name has the
     * one given here.
     *
     * @throws IllegalArgumentException if a name is unknown or a number out of range
     */
    public static Augmentation parse(String names) {
        Augmentation result = NONE;
        for (String item : names.split(",", -1)) {
            String[] parts = item.strip().split("=", 2);
            double number = parts.length == 2 ? number(item, parts[1]) : NO_NUMBER;
            result = switch (parts[0]) {
                case "crop" -> result.crop(whole(item, number, 4));
                case "resized-crop" -> result.resizedCrop(orElse(number, 0.08));
                case "jitter" -> result.jitter(orElse(number, 0.4));
                case "erase" -> result.erase(orElse(number, 0.25));
                case "flip", "none" -> {
                    if (parts.length == 2) {
                        throw unknown(item);
                    }
                    yield parts[0].equals("flip") ? result.flip() : result;
                }
                default -> throw unknown(item);
            };
        }
        return result;
    }

    private static double orElse(double number, double usual) {
        return Double.isNaN(number) ? usual : number;
    }

    private static int whole(String item, double number, int usual) {
        double value = orElse(number, usual);
        if (value != Math.rint(value)) {
            throw new IllegalArgumentException("augmentation '%s' takes a whole number".formatted(item));
        }
        return (int) value;
    }

    private static double number(String item, String text) {
        try {
            double number = Double.parseDouble(text);
            if (Double.isNaN(number)) {
                throw new NumberFormatException(text);
            }
            return number;
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("augmentation '%s': '%s' is not a number".formatted(item, text), e);
        }
    }

    private static IllegalArgumentException unknown(String item) {
        return new IllegalArgumentException("augmentation '%s' is unknown; use %s".formatted(item, NAMES));
    }

    /** @throws IllegalArgumentException if a technique cannot be applied to images (C, H, W) of that shape */
    void requireImages(Shape image) {
        for (Technique technique : techniques) {
            technique.requireImages(image);
        }
    }

    void apply(Picture picture, Draws draws) {
        for (Technique technique : techniques) {
            technique.apply(picture, draws);
        }
    }

    /** Whether images are cut from their originals at random. */
    boolean cutsOriginals() {
        return techniques.length > 0 && techniques[0] instanceof ResizedCrop; // the first in order
    }

    /** Makes an image from its original, if originals are cut. */
    void apply(Picture original, Picture picture, Draws draws) {
        for (Technique technique : techniques) {
            if (technique instanceof ResizedCrop crop) {
                crop.cut(original, draws, picture);
                picture.swap();
            } else {
                technique.apply(picture, draws);
            }
        }
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Augmentation that && Arrays.equals(techniques, that.techniques);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(techniques);
    }

    /** As {@link #parse} reads it. */
    @Override
    public String toString() {
        return techniques.length == 0
                ? "none"
                : Arrays.stream(techniques).map(Technique::toString).collect(Collectors.joining(","));
    }
}
