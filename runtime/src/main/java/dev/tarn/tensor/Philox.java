package dev.tarn.tensor;

/**
 * The counter-based generator Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). Four
 * 32-bit words are a pure function of (seed, stream, step, block), so any element's number can be had without the others, on
 * any thread. The C kernels compute the same words: counter = (block low, block high, step, stream), key = (seed low, high).
 */
public final class Philox {
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final int ROUNDS = 10;
    private static final long LOW_32 = 0xFFFFFFFFL;

    private Philox() {}

    /** Writes the four words of a block to {@code words}. */
    public static void words(long seed, int stream, int step, long block, int[] words) {
        int c0 = (int) block;
        int c1 = (int) (block >>> 32);
        int c2 = step;
        int c3 = stream;
        int k0 = (int) seed;
        int k1 = (int) (seed >>> 32);
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = MULTIPLIER_0 * (c0 & LOW_32);
            long p1 = MULTIPLIER_1 * (c2 & LOW_32);
            int high0 = (int) (p0 >>> 32);
            int high1 = (int) (p1 >>> 32);
            c0 = high1 ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = high0 ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        words[0] = c0;
        words[1] = c1;
        words[2] = c2;
        words[3] = c3;
    }
}
