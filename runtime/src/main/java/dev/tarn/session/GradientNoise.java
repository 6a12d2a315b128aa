package dev.tarn.session;

/**
 * How much the gradient of a batch differs from that of all images, which tells what a larger batch would be good for (McCandlish
 * et al., "An empirical model of large-batch training", 2018). A batch of m out of N images, drawn without replacement, has
 *
 * <pre>variance(m) = sigma^2 / m * (N - m) / (N - 1)</pre>
 *
 * summed over all learned numbers, where sigma^2 is the variance of the gradients of single images.
 *
 * @param examples N: the images of the whole batches of a pass
 * @param batch m
 * @param variance mean over the batches of |g_batch - g|^2; 0 where one batch is all
 * @param signal |g|^2, of the gradient of all images
 */
public record GradientNoise(long examples, long batch, double variance, double signal) {
    /** sigma^2: the variance of the gradient of a single image; NaN where one batch was all. */
    public double ofOneImage() {
        return variance * batch * (examples - 1) / (examples - batch);
    }

    /** The variance that batches of another size would have. */
    public double ofBatch(long size) {
        return ofOneImage() / size * (examples - size) / (examples - 1);
    }

    /**
     * The batch whose noise is as large as the gradient itself, sigma^2 / |g|^2: much smaller batches mostly follow the noise, and
     * much larger ones hardly learn more from a step.
     */
    public double balancedBatch() {
        return ofOneImage() / signal;
    }
}
