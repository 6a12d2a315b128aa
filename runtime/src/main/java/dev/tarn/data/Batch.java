package dev.tarn.data;

import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.Tensor;

/**
 * Images and labels that go through a network together: views of a loader's memory, valid until the next batch is taken.
 *
 * @param images F32 (n, C, H, W), channels last in memory
 * @param labels I32 (n)
 * @param memory what the views lie in; whoever runs kernels on them {@link OwnedMemory#acquire() holds} it meanwhile
 */
public record Batch(Tensor images, Tensor labels, OwnedMemory memory) {
    /** Number of images. */
    public long size() {
        return images.shape().size(0);
    }
}
