package dev.tarn.optim;

/**
 * Cuts the learning rate when the validation error stops improving. An epoch is idle if its error is not below the
 * best so far; after more than {@code patience} idle epochs in a row the rate is cut once, and for {@code cooldown}
 * epochs no idle ones count.
 *
 * @param factor of each cut, in (0, 1)
 * @param smallest the rate is not cut below it
 */
public record Plateau(double factor, long patience, long cooldown, double smallest) {
    /**
     * What was seen so far.
     *
     * @param idle epochs in a row without improvement
     * @param resting epochs of cooldown that are left
     */
    public record State(double best, long idle, long resting, long cuts) {
        /** Before the first epoch. */
        public static final State START = new State(Double.POSITIVE_INFINITY, 0, 0, 0);
    }

    public Plateau {
        if (!(factor > 0 && factor < 1) || patience < 0 || cooldown < 0 || !(smallest >= 0)) {
            throw new IllegalArgumentException(
                    "a plateau has a factor in (0, 1), and patience, cooldown and smallest rate from 0, not %s, %d, %d, %s"
                            .formatted(factor, patience, cooldown, smallest));
        }
    }

    /** The state after an epoch with a validation error. */
    public State after(State before, double error) {
        long resting = Math.max(0, before.resting - 1);
        if (error < before.best) {
            return new State(error, 0, resting, before.cuts);
        }
        if (before.resting > 0) {
            return new State(before.best, 0, resting, before.cuts);
        }
        return before.idle < patience
                ? new State(before.best, before.idle + 1, 0, before.cuts)
                : new State(before.best, 0, cooldown, before.cuts + 1);
    }

    /** What is left of a schedule: rate * factor^cuts, but not less than the smallest rate or the schedule itself. */
    public LearningRate of(LearningRate rate, State state) {
        double left = StrictMath.pow(factor, state.cuts);
        return step -> Math.max(rate.at(step) * left, Math.min(rate.at(step), smallest));
    }
}
