package dev.tarn.data;

import java.util.Locale;

/** Which images an epoch has, and in which order: a pure function of (seed, epoch). */
public enum Sampling {
    /** Every image once, in the data set's order. */
    SEQUENTIAL,
    /** Every image once, in a fresh random order. */
    SHUFFLED,
    /**
     * As many images as there are, each chosen from all of them: some come several times, with the same augmentation, and about 37 %
     * not at all.
     */
    WITH_REPLACEMENT;

    /** {@code with-replacement} */
    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
