package dev.tarn.session;

import dev.tarn.data.Augmentation;
import dev.tarn.data.Sampling;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.Schedule;

/**
 * How a network is trained, beside the network and the data.
 *
 * @param epochs passes over the training images
 * @param batchSize images in a step
 * @param microBatch most of them that pass through the network at once, up to all; gradients of a batch's parts add up
 * @param schedule how the learning rate changes over the run
 * @param rate the learning rate at its start
 * @param loss what is made small
 * @param sampling which images an epoch has
 * @param seed of initial weights, order, augmentation and dropout
 */
public record Recipe(
        long epochs,
        long batchSize,
        long microBatch,
        Optimizer optimizer,
        Schedule schedule,
        double rate,
        Loss loss,
        Augmentation augmentation,
        Sampling sampling,
        long seed) {
    public Recipe {
        if (epochs < 1 || batchSize < 1 || microBatch < 1) {
            throw new IllegalArgumentException(
                    "training takes at least one epoch and one image in a batch and in a part of it, not %d, %d and %d"
                            .formatted(epochs, batchSize, microBatch));
        }
        microBatch = Math.min(microBatch, batchSize);
        schedule.over(1, 1, rate); // refuses a rate that is none
    }

    /** The same over another number of epochs. */
    public Recipe withEpochs(long count) {
        return new Recipe(count, batchSize, microBatch, optimizer, schedule, rate, loss, augmentation, sampling, seed);
    }

    /** The same with batches that pass in parts of at most so many images. */
    public Recipe withMicroBatch(long images) {
        return new Recipe(epochs, batchSize, images, optimizer, schedule, rate, loss, augmentation, sampling, seed);
    }

    /** Batches pass whole, and each epoch has every image once, in a fresh random order. */
    public Recipe(
            long epochs,
            long batchSize,
            Optimizer optimizer,
            Schedule schedule,
            double rate,
            Loss loss,
            Augmentation augmentation,
            long seed) {
        this(epochs, batchSize, batchSize, optimizer, schedule, rate, loss, augmentation, Sampling.SHUFFLED, seed);
    }
}
