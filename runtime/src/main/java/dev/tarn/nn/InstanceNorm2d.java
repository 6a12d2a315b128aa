package dev.tarn.nn;

/**
 * Instance normalisation (Ulyanov, Vedaldi and Lempitsky, 2016): {@link GroupNorm} with as many groups as channels, so that each
 * channel of each image (N, C, H, W) has a mean and a variance of its own. Scale and shift are learned, which PyTorch calls
 * affine; there are no running statistics.
 */
public final class InstanceNorm2d extends GroupNorm {
    public InstanceNorm2d(long channels) {
        super(channels, channels);
    }

    /** @param eps added to the variance, inside the root */
    public InstanceNorm2d(long channels, double eps) {
        super(channels, channels, eps);
    }
}
