package dev.tarn.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A sequence of random numbers that is a pure function of (seed, stream, step): the numbers of {@link Philox} in order. Not
 * safe for several threads; make one for each use instead, they cost nothing.
 */
public final class Rng {
    /** Streams keep uses apart: no two draw the same numbers from one seed. */
    public enum Stream {
        INIT,
        SHUFFLE,
        AUGMENT,
        DIGITS,
        DROPOUT,
        GRADIENT_CHECK
    }

    private final long seed;
    private final int stream;
    private final int step;
    private final int[] words = new int[4];
    private long drawn;

    /**
     * @param step which sequence of the stream: the index of a parameter, an epoch, an image
     */
    public Rng(long seed, Stream stream, long step) {
        this.seed = seed;
        this.stream = stream.ordinal() | (int) (step >>> 32) << 8;
        this.step = (int) step;
    }

    private int nextWord() {
        int lane = (int) (drawn & 3);
        if (lane == 0) {
            Philox.words(seed, stream, step, drawn >>> 2, words);
        }
        drawn++;
        return words[lane];
    }

    /** Uniform in [0, 1), a multiple of 2^-24. */
    public float nextFloat() {
        return (nextWord() >>> 8) * 0x1p-24f;
    }

    /** Uniform in [0, 1), a multiple of 2^-53. */
    public double nextDouble() {
        long bits = ((long) nextWord() << 32 | nextWord() & 0xFFFFFFFFL) >>> 11;
        return bits * 0x1p-53;
    }

    /** Uniform in [0, bound): exact, by rejection. */
    public long nextLong(long bound) {
        if (bound <= 0) {
            throw new IllegalArgumentException("bound must be positive: " + bound);
        }
        long bits;
        long value;
        do {
            bits = ((long) nextWord() << 32 | nextWord() & 0xFFFFFFFFL) >>> 1;
            value = bits % bound;
        } while (bits - value + (bound - 1) < 0);
        return value;
    }

    /** Standard normal, by Box and Muller's transform of two uniforms; StrictMath, so that every machine draws the same. */
    public double nextGaussian() {
        double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - nextDouble()));
        return radius * StrictMath.cos(2 * Math.PI * nextDouble());
    }

    /** Overwrites {@code n} ints with 0 .. n-1 in a uniformly random order (Fisher and Yates). */
    public void permutation(MemorySegment order, int n) {
        for (int i = 0; i < n; i++) {
            int j = (int) nextLong(i + 1L);
            order.setAtIndex(ValueLayout.JAVA_INT, i, order.getAtIndex(ValueLayout.JAVA_INT, j));
            order.setAtIndex(ValueLayout.JAVA_INT, j, i);
        }
    }
}
