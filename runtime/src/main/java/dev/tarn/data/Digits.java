package dev.tarn.data;

import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Digits drawn with a trembling pen: 28 x 28 grey images for runs that need no files. Each is one of its {@link Glyph}s after a
 * random bend, rotation, shear, scale and shift, drawn with a random width and strength and a stray stroke, under noise.
 *
 * <p>Image i is a pure function of (seed, split, i), however many there are, and each ten in a row hold every digit once in random
 * order. Training and test images come from sequences of their own. Only operations that Java defines to the bit are used, so
 * all machines draw the same.
 */
public final class Digits {
    private static final int SIDE = 28;
    private static final int CLASSES = 10;
    private static final long MOST = 10_000_000;
    /** These bits, above any image's index, keep sequences of random numbers apart. */
    private static final long TEST = 1L << 40;

    private static final long LABELS = 1L << 41;

    private final float[] ink = new float[SIDE * SIDE]; // how much of each pixel the pen covers, 0 .. 1
    private final int[] order = new int[CLASSES];

    private Digits() {}

    /**
     * Draws images.
     *
     * @throws DataException if {@code count} is not within 1 .. 10,000,000
     */
    public static Dataset generate(long count, long seed, Split split) {
        if (count < 1 || count > MOST) {
            throw new DataException("%,d generated digits cannot be had; ask for 1 to %,d".formatted(count, MOST));
        }
        List<String> names =
                IntStream.range(0, CLASSES).mapToObj(Integer::toString).toList();
        MemoryDataset dataset = new MemoryDataset(count, Shape.of(1, SIDE, SIDE), names);
        Digits pen = new Digits();
        long sequence = split == Split.TEST ? TEST : 0;
        for (long i = 0; i < count; i++) {
            int lane = (int) (i % CLASSES);
            if (lane == 0) {
                new Rng(seed, Rng.Stream.DIGITS, LABELS | sequence | i)
                        .permutation(MemorySegment.ofArray(pen.order), CLASSES);
            }
            dataset.setLabel(i, pen.order[lane], "generated digits", i);
            Rng rng = new Rng(seed, Rng.Stream.DIGITS, sequence | i);
            pen.draw(pen.order[lane], rng);
            pen.print(dataset.images(), i * SIDE * SIDE, rng);
        }
        return dataset;
    }

    private void draw(int digit, Rng rng) {
        Arrays.fill(ink, 0);
        List<Glyph> ways = Glyph.DIGITS.get(digit);
        Glyph glyph = ways.get((int) rng.nextLong(ways.size()));
        Hand hand = new Hand(rng);
        double radius = between(rng, 0.8, 1.6);
        for (double[] stroke : glyph.strokes()) {
            double x = hand.x(stroke[0], stroke[1]);
            double y = hand.y(stroke[0], stroke[1]);
            for (int i = 2; i < stroke.length; i += 2) {
                double nextX = hand.x(stroke[i], stroke[i + 1]);
                double nextY = hand.y(stroke[i], stroke[i + 1]);
                segment(x, y, nextX, nextY, radius);
                x = nextX;
                y = nextY;
            }
        }
        stray(rng);
    }

    /** A short stroke that belongs to no digit. */
    private void stray(Rng rng) {
        double x = between(rng, 0, SIDE);
        double y = between(rng, 0, SIDE);
        segment(x, y, x + between(rng, -4, 4), y + between(rng, -4, 4), between(rng, 0.4, 1));
    }

    /** Where a hand puts the points of the unit box: bent along both axes, then sheared, turned, scaled and shifted. */
    private static final class Hand {
        private final double bendX;
        private final double bendY;
        private final double phaseX;
        private final double phaseY;
        private final double xx;
        private final double xy;
        private final double yx;
        private final double yy;
        private final double shiftX;
        private final double shiftY;

        Hand(Rng rng) {
            bendX = between(rng, -0.05, 0.05);
            bendY = between(rng, -0.05, 0.05);
            phaseX = between(rng, 0, 2 * Math.PI);
            phaseY = between(rng, 0, 2 * Math.PI);
            double angle = StrictMath.toRadians(between(rng, -16, 16));
            double shear = between(rng, -0.25, 0.25);
            double scaleX = between(rng, 18, 25);
            double scaleY = between(rng, 19, 25);
            xx = scaleX * StrictMath.cos(angle);
            yx = scaleX * StrictMath.sin(angle);
            xy = shear * xx - scaleY * StrictMath.sin(angle);
            yy = shear * yx + scaleY * StrictMath.cos(angle);
            shiftX = SIDE / 2.0 + between(rng, -2, 2);
            shiftY = SIDE / 2.0 + between(rng, -2, 2);
        }

        double x(double boxX, double boxY) {
            return shiftX + xx * bentX(boxX, boxY) + xy * bentY(boxX, boxY);
        }

        double y(double boxX, double boxY) {
            return shiftY + yx * bentX(boxX, boxY) + yy * bentY(boxX, boxY);
        }

        private double bentX(double boxX, double boxY) {
            return boxX - 0.5 + bendX * StrictMath.sin(2 * Math.PI * boxY + phaseX);
        }

        private double bentY(double boxX, double boxY) {
            return boxY - 0.5 + bendY * StrictMath.sin(2 * Math.PI * boxX + phaseY);
        }
    }

    /** Inks what lies within {@code radius} of a line; the edge is one pixel soft, which is the antialiasing. */
    private void segment(double x0, double y0, double x1, double y1, double radius) {
        double reach = radius + 0.5;
        double dx = x1 - x0;
        double dy = y1 - y0;
        double squared = Math.max(dx * dx + dy * dy, 1e-9);
        int right = (int) Math.min(SIDE - 1, Math.max(x0, x1) + reach);
        int bottom = (int) Math.min(SIDE - 1, Math.max(y0, y1) + reach);
        for (int row = (int) Math.max(0, Math.min(y0, y1) - reach); row <= bottom; row++) {
            for (int column = (int) Math.max(0, Math.min(x0, x1) - reach); column <= right; column++) {
                double px = column + 0.5 - x0;
                double py = row + 0.5 - y0;
                double along = Math.clamp((px * dx + py * dy) / squared, 0.0, 1.0);
                double ex = px - along * dx;
                double ey = py - along * dy;
                double covered = Math.min(1, reach - Math.sqrt(ex * ex + ey * ey));
                int pixel = row * SIDE + column;
                ink[pixel] = Math.max(ink[pixel], (float) covered);
            }
        }
    }

    /** Writes the ink as bytes, with noise of a triangular distribution: as good as a normal one here, and far cheaper. */
    private void print(MemorySegment images, long offset, Rng rng) {
        double strength = between(rng, 140, 255);
        double noise = between(rng, 0, 50);
        for (int i = 0; i < ink.length; i++) {
            double value = strength * ink[i] + noise * (rng.nextFloat() + rng.nextFloat() - 1);
            images.set(ValueLayout.JAVA_BYTE, offset + i, (byte) Math.clamp(Math.round(value), 0, 255));
        }
    }

    private static double between(Rng rng, double low, double high) {
        return low + (high - low) * rng.nextFloat();
    }
}
