package dev.tarn.session;

import dev.tarn.data.Augmentation;
import dev.tarn.optim.LearningRate;
import dev.tarn.optim.Optimizer;

/**
 * How a network is trained, beside the network and the data.
 *
 * @param epochs passes over the training images
 * @param batchSize images in a step
 * @param schedule how the learning rate changes over the run
 * @param rate the learning rate at its start
 * @param labelSmoothing share of each target that is spread over all classes, in [0, 1)
 * @param seed of initial weights, order, augmentation and dropout
 */
public record Recipe(
        long epochs,
        long batchSize,
        Optimizer optimizer,
        Schedule schedule,
        double rate,
        double labelSmoothing,
        Augmentation augmentation,
        long seed) {
    /** The learning rate over a run. */
    public enum Schedule {
        /** The same rate always. */
        CONSTANT,
        /** A tenth of the rate after each third of the run. */
        STEP,
        /** Down to zero along half a cosine. */
        COSINE;

        LearningRate over(long steps, double rate) {
            return switch (this) {
                case CONSTANT -> LearningRate.constant(rate);
                case STEP -> LearningRate.step(rate, 0.1, Math.ceilDiv(steps, 3L));
                case COSINE -> LearningRate.cosine(rate, steps);
            };
        }
    }

    public Recipe {
        if (epochs < 1 || batchSize < 1) {
            throw new IllegalArgumentException(
                    "training takes at least one epoch and one image in a batch, not %d and %d"
                            .formatted(epochs, batchSize));
        }
        schedule.over(1, rate); // refuses a rate that is none
    }
}
