package dev.tarn.session;

import java.time.Duration;
import java.util.List;

/**
 * When a run ends before its last epoch. It is a function of how far the run is and of how its validations went, all of which a
 * run folder keeps, so that a run that was killed and resumed decides as one that was not.
 */
@FunctionalInterface
public interface Stopping {
    /** Trains to the last epoch. */
    Stopping NEVER = (step, passes, seconds, validations) -> false;

    /** What is watched for progress. */
    enum Metric {
        VAL_LOSS,
        VAL_ACCURACY;

        private double error(Validation validation) {
            return this == VAL_LOSS ? validation.loss() : 1 - validation.accuracy();
        }
    }

    /**
     * Whether to stop now. It is asked after each update and after each validation, and before a resumed run goes on; a run that stops
     * within an epoch is validated and saved first. The loop that asks allocates nothing, which an answer should keep to.
     *
     * @param step updates since the start of the run
     * @param passes over the training images, see {@link dev.tarn.data.DataLoader#passes}
     * @param seconds of wall time that the run took, without the time between a kill and a resumption
     * @param validations all so far, one after each epoch
     */
    boolean isDue(long step, double passes, double seconds, List<Validation> validations);

    /** Stops when either is due. */
    default Stopping or(Stopping other) {
        return (step, passes, seconds, validations) ->
                isDue(step, passes, seconds, validations) || other.isDue(step, passes, seconds, validations);
    }

    /** Stops when both are due. */
    default Stopping and(Stopping other) {
        return (step, passes, seconds, validations) ->
                isDue(step, passes, seconds, validations) && other.isDue(step, passes, seconds, validations);
    }

    /**
     * Stops after so many updates, exactly.
     *
     * @throws IllegalArgumentException if there is not one
     */
    static Stopping afterSteps(long steps) {
        if (steps < 1) {
            throw new IllegalArgumentException("a run takes at least one step, not " + steps);
        }
        return (step, passes, seconds, validations) -> step >= steps;
    }

    /**
     * Stops with the first update after so much wall time.
     *
     * @throws IllegalArgumentException if it is not positive
     */
    static Stopping after(Duration time) {
        if (!time.isPositive()) {
            throw new IllegalArgumentException("a run takes some time, not " + time);
        }
        double limit = time.toNanos() / 1e9;
        return (step, passes, seconds, validations) -> seconds >= limit;
    }

    /**
     * Early stopping: stops after more than {@code patience} epochs in a row without progress. An epoch makes progress if its loss is below
     * the best so far, or its accuracy above it, by more than {@code minDelta}; the first does. With patience 0 the first epoch
     * without progress is the last.
     *
     * @throws IllegalArgumentException if a number is negative, or {@code minDelta} not finite
     */
    static Stopping patience(long patience, double minDelta, Metric metric) {
        if (patience < 0 || !(minDelta >= 0 && minDelta < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("patience and its least progress are from 0 and finite, not %d and %s"
                    .formatted(patience, minDelta));
        }
        return (step, passes, seconds, validations) -> idle(validations, minDelta, metric) > patience;
    }

    private static long idle(List<Validation> validations, double minDelta, Metric metric) {
        double best = Double.POSITIVE_INFINITY;
        long idle = 0;
        for (int i = 0; i < validations.size(); i++) { // by index: an iterator would be an allocation in each step
            double error = metric.error(validations.get(i));
            if (error < best - minDelta) {
                best = error;
                idle = 0;
            } else {
                idle++;
            }
        }
        return idle;
    }
}
