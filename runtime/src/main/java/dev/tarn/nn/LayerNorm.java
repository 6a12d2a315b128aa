package dev.tarn.nn;

/**
 * Layer normalisation (Ba, Kiros and Hinton, 2016): {@link GroupNorm} with one group. Rows (N, D) have a mean, a variance and
 * for each of D features a scale and a shift, as in the paper. Images (N, C, H, W) are normalised over channels and pixels; scale
 * and shift are one for each channel, where PyTorch's have one for each channel and pixel.
 */
public final class LayerNorm extends GroupNorm {
    /** @param channels C of images, D of rows */
    public LayerNorm(long channels) {
        super(1, channels);
    }

    /** @param eps added to the variance, inside the root */
    public LayerNorm(long channels, double eps) {
        super(1, channels, eps);
    }
}
