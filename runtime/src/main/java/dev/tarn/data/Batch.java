package dev.tarn.data;

import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

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

    /**
     * Parts of at most so many images, in order, the last of which may be smaller: views of the same memory.
     *
     * @throws IllegalArgumentException if a part would have no image
     */
    public List<Batch> parts(long most) {
        if (most < 1) {
            throw new IllegalArgumentException("a part of a batch has at least one image, not " + most);
        }
        List<Batch> parts = new ArrayList<>();
        for (long first = 0; first < size(); first += most) {
            long n = Math.min(most, size() - first);
            parts.add(new Batch(images.slice(first, n), labels.slice(first, n), memory));
        }
        return parts;
    }
}
