package dev.tarn.data;

import java.lang.foreign.MemorySegment;

/**
 * How a picture of any size becomes a square one, as torchvision's {@code Resize(resize)} and {@code CenterCrop(side)} do it on Pillow's
 * images, byte for byte: the shorter side is brought to {@code resize}, the longer to {@code floor(resize long / short)}, with bilinear
 * antialiasing; of that the centre is cut out.
 *
 * @param side of the square, at least 1
 * @param resize at least {@code side}
 */
public record Fit(int side, int resize) {
    private static final int MOST = 1 << 14;

    public Fit {
        if (side < 1 || resize < side || resize > MOST) {
            throw new IllegalArgumentException(
                    "images of side %d are cut from ones whose shorter side is %d; that is at least as long, at most %,d"
                            .formatted(side, resize, MOST));
        }
    }

    /** With the usual margin: {@code resize} is 8/7 of the side, as 256 is of 224. */
    public static Fit of(int side) {
        return new Fit(side, (int) Math.round(side * 8 / 7.0));
    }

    void apply(Picture original, MemorySegment target) {
        int shorter = Math.min(original.height, original.width);
        var resampling = original.resampling();
        long columns = (long) resize * original.width / shorter;
        long rows = (long) resize * original.height / shorter;
        resampling.takeColumns(0, original.width, columns, margin(columns), side);
        resampling.takeRows(0, original.height, rows, margin(rows), side);
        resampling.write(original, target);
    }

    /** What is left out before the centre; halves are rounded to even, as Python rounds. */
    private long margin(long length) {
        return (long) Math.rint((length - side) / 2.0);
    }
}
