package dev.tarn.data;

import dev.tarn.tensor.Philox;
import dev.tarn.tensor.Rng;

/**
 * The random numbers of an image's augmentation: word i of a lane is a pure function of (seed, epoch, index, lane,
 * i), so that no technique's numbers depend on which others there are. Allocates nothing after its construction.
 */
final class Draws {
    private static final long LOW_32 = 0xFFFFFFFFL;
    private static final int LANE_SHIFT = 56; // above the image's index in bits 0 .. 31 and the block in 32 .. 55

    private final long seed;
    private final int[] words = new int[4];
    private long epoch;
    private long index;
    private long loaded = -1;

    Draws(long seed) {
        this.seed = seed;
    }

    /** Turns to an image. */
    void image(long newEpoch, long newIndex) {
        epoch = newEpoch;
        index = newIndex;
        loaded = -1;
    }

    /** 32 random bits. */
    int word(int lane, int i) {
        long block = index | (i >>> 2 & LOW_32) << 32 | (long) lane << LANE_SHIFT;
        if (block != loaded) {
            int stream = Rng.Stream.AUGMENT.ordinal() | (int) (epoch >>> 32) << 8;
            Philox.words(seed, stream, (int) epoch, block, words);
            loaded = block;
        }
        return words[i & 3];
    }

    /** Uniform in low .. high. */
    double between(double low, double high, int lane, int i) {
        return low + (high - low) * ((word(lane, i) & LOW_32) * 0x1p-32);
    }

    /** Uniform in 0 .. bound - 1, up to a bias below bound / 2^32. */
    int below(int bound, int lane, int i) {
        return (int) ((word(lane, i) & LOW_32) * bound >>> 32);
    }
}
