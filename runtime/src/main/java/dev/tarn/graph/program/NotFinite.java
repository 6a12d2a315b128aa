package dev.tarn.graph.program;

/**
 * A number that should not have come up.
 *
 * @param layer the path of the layer where it did, with {@code .grad} in the backward pass; of a parameter or an input, its name
 * @param what kind of value it is in: {@code the output of}, for instance
 * @param number infinite or not a number
 * @param image its place in the batch, or -1 where it belongs to all of them
 */
public record NotFinite(String layer, String what, double number, long image) {
    /** The same in a batch in which so many images come before. */
    public NotFinite after(long images) {
        return image < 0 ? this : new NotFinite(layer, what, number, image + images);
    }

    /** {@code -Infinity in the output of conv1} */
    @Override
    public String toString() {
        return "%s in %s %s".formatted(number, what, layer);
    }
}
