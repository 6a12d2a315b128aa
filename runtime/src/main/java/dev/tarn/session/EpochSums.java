package dev.tarn.session;

/**
 * What the steps of an epoch have come to so far.
 *
 * @param correct examples that were predicted right
 * @param loss of all examples together, each as the network was when it met them
 * @param nanos that the steps took, with reading the data
 */
record EpochSums(long examples, long correct, double loss, long nanos) {
    /** Before the first step. */
    static final EpochSums NONE = new EpochSums(0, 0, 0, 0);

    double seconds() {
        return nanos / 1e9;
    }
}
