package dev.tarn.data;

/**
 * Random changes to training images that keep their class. What happens to an image is a pure function of (seed, epoch,
 * index).
 *
 * <p>The crop pads the image with raw zero bytes on all sides, before normalization as torchvision does, and takes a window of the
 * original size at a uniformly random place. The flip mirrors left and right with probability 1/2, after the crop.
 *
 * @param padding rows and columns of zeros on each side of the crop; 0 for no crop
 * @param flip whether images are mirrored
 */
public record Augmentation(int padding, Flip flip) {
    /** Mirroring. */
    public enum Flip {
        NEVER,
        HORIZONTAL
    }

    /** Images as they are. */
    public static final Augmentation NONE = new Augmentation(0, Flip.NEVER);

    /** The padding that 32 x 32 images are commonly trained with. */
    private static final int USUAL_PADDING = 4;

    public Augmentation {
        if (padding < 0) {
            throw new IllegalArgumentException("the padding of a crop is not negative: " + padding);
        }
    }

    /**
     * Reads names separated by commas: {@code crop} (padding 4), {@code flip}; {@code none} for neither.
     *
     * @throws IllegalArgumentException if a name is unknown
     */
    public static Augmentation parse(String names) {
        Augmentation result = NONE;
        for (String name : names.split(",", -1)) {
            result = switch (name.strip()) {
                case "none" -> result;
                case "crop" -> new Augmentation(USUAL_PADDING, result.flip);
                case "flip" -> new Augmentation(result.padding, Flip.HORIZONTAL);
                default ->
                    throw new IllegalArgumentException(
                            "augmentation '%s' is unknown; use none, crop, flip or crop,flip".formatted(name));
            };
        }
        return result;
    }
}
