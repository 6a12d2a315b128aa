package dev.tarn.session;

import java.util.List;

/** Hears of a run's progress, in the thread that trains. */
public interface TrainingListener {
    /** Hears nothing. */
    TrainingListener NONE = new TrainingListener() {};

    /** A run begins, and this is what may be wrong with its network, its first values and its first batch. */
    default void linted(List<Lint> lints) {}

    /**
     * @param epoch counted from 1
     * @param epochs of the whole run
     * @param steps that the epoch has
     */
    default void epochStarted(long epoch, long epochs, long steps) {}

    /**
     * A step is done. It is called in the loop that allocates nothing, and should keep to that.
     *
     * @param step within the epoch, counted from 1
     * @param loss of the step's batch
     */
    default void stepDone(long epoch, long step, double loss) {}

    /** An epoch is done, validated, and safe on disk. */
    default void epochDone(EpochResult result) {}
}
