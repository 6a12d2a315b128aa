package dev.tarn.session;

/** Hears of a run's progress, in the thread that trains. */
public interface TrainingListener {
    /** Hears nothing. */
    TrainingListener NONE = new TrainingListener() {};

    /**
     * @param epoch counted from 1
     * @param epochs of the whole run
     * @param steps that the epoch has
     */
    default void epochStarted(long epoch, long epochs, long steps) {}

    /**
     * A step is done: the parameters have just changed. It is called in the loop that allocates nothing, and should keep to that.
     *
     * @param step updates since the start of the run
     * @param passes over the training images, the one under way in part: exactly k after the k-th epoch
     * @param loss of the step's batch, before the step
     * @param learningRate of the step
     * @param gradientNorm of all gradients together before they were clipped; NaN unless the optimizer clips norms
     */
    default void stepDone(long step, double passes, double loss, double learningRate, double gradientNorm) {}

    /** An epoch is done, validated, and safe on disk. */
    default void epochDone(EpochResult result) {}
}
