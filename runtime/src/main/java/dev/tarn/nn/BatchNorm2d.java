package dev.tarn.nn;

import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.BatchNormOp;
import dev.tarn.graph.op.BatchNormOp.Estimate;
import dev.tarn.graph.op.BatchNormOp.Smoothed;
import dev.tarn.tensor.Shape;

/**
 * Batch normalisation (Ioffe and Szegedy, 2015) of images (N, C, H, W) or rows (N, C), one mean and variance for each channel.
 *
 * <pre>y = (x - mean) / sqrt(var + eps) * weight + bias</pre>
 *
 * A training session normalises by the batch's mean and biased variance, and moves the running statistics towards the batch's:
 * running = keep * running + (1 - keep) * batch. An inference session uses the running ones, so an image's result does not
 * depend on its batch. Two conventions are a choice: the average is one of variances, or one of standard deviations with eps
 * inside, by which an inference session divides as they are; and the batch's variance in it is the unbiased or the biased one.
 * Parameters: {@code weight}, {@code bias}, {@code running_mean}, {@code running_var} or {@code running_std}, each (C). A session
 * refuses a shape of another number of channels, and training refuses a single value a channel, which has no variance.
 */
public final class BatchNorm2d extends Layer {
    private static final double EPS = 1e-5;
    private static final double KEEP = 0.9;

    private final BatchNormOp op;
    private final Parameter weight;
    private final Parameter bias;
    private final Parameter runningMean;
    private final Parameter runningSpread;

    /** With eps 1e-5 and keep 0.9, which is PyTorch's momentum 0.1, and PyTorch's running variance. */
    public BatchNorm2d(long channels) {
        this(channels, EPS, KEEP);
    }

    /**
     * @param eps added to the variance, inside the root
     * @param keep weight of the old running statistics, in [0, 1): 1 - PyTorch's momentum
     */
    public BatchNorm2d(long channels, double eps, double keep) {
        this(channels, eps, keep, Smoothed.VARIANCE, Estimate.UNBIASED);
    }

    /**
     * @param smoothed whether the average is one of variances, {@code running_var}, or of deviations, {@code running_std}
     * @param estimate which variance of a batch goes into it
     * @throws IllegalArgumentException if eps or keep is out of range
     */
    public BatchNorm2d(long channels, double eps, double keep, Smoothed smoothed, Estimate estimate) {
        if (!(eps > 0) || !(keep >= 0 && keep < 1)) {
            throw new IllegalArgumentException(
                    "batch normalisation takes eps > 0 and keep in [0, 1), not %s and %s".formatted(eps, keep));
        }
        this.op = new BatchNormOp(eps, keep, smoothed, estimate, Activation.NONE);
        Shape shape = Shape.of(channels);
        this.weight = parameter("weight", shape, Role.BIAS, Initializer.constant(1));
        this.bias = parameter("bias", shape, Role.BIAS, Initializer.constant(0));
        this.runningMean = parameter("running_mean", shape, Role.STATISTIC, Initializer.constant(0));
        String spread = smoothed == Smoothed.VARIANCE ? "running_var" : "running_std";
        this.runningSpread = parameter(spread, shape, Role.STATISTIC, Initializer.constant(1));
    }

    /** As the second form of the lecture notes: the running average is one of the batches' own (biased) standard deviations. */
    public static BatchNorm2d ofDeviations(long channels) {
        return new BatchNorm2d(channels, EPS, KEEP, Smoothed.DEVIATION, Estimate.BIASED);
    }

    @Override
    public Value forward(Value x) {
        var graph = x.graph();
        return x.apply(
                op,
                label(),
                graph.parameter(weight),
                graph.parameter(bias),
                graph.parameter(runningMean),
                graph.parameter(runningSpread));
    }
}
