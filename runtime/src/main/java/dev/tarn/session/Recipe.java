package dev.tarn.session;

import dev.tarn.data.Augmentation;
import dev.tarn.data.Sampling;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.Schedule;

/**
 * How a network is trained, beside the network and the data.
 *
 * @param epochs passes over the training images
 * @param batchSize images in a step
 * @param schedule how the learning rate changes over the run
 * @param rate the learning rate at its start
 * @param labelSmoothing share of each target that is spread over all classes, in [0, 1)
 * @param sampling which images an epoch has
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
        Sampling sampling,
        long seed) {
    public Recipe {
        if (epochs < 1 || batchSize < 1) {
            throw new IllegalArgumentException(
                    "training takes at least one epoch and one image in a batch, not %d and %d"
                            .formatted(epochs, batchSize));
        }
        schedule.over(1, 1, rate); // refuses a rate that is none
    }

    /** The same over another number of epochs. */
    public Recipe withEpochs(long count) {
        return new Recipe(count, batchSize, optimizer, schedule, rate, labelSmoothing, augmentation, sampling, seed);
    }

    /** Each epoch has every image once, in a fresh random order. */
    public Recipe(
            long epochs,
            long batchSize,
            Optimizer optimizer,
            Schedule schedule,
            double rate,
            double labelSmoothing,
            Augmentation augmentation,
            long seed) {
        this(epochs, batchSize, optimizer, schedule, rate, labelSmoothing, augmentation, Sampling.SHUFFLED, seed);
    }
}
