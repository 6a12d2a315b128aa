package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;

/** Batches of random numbers for tests, in memory of their own. */
final class Batches {
    private Batches() {}

    /** Standard normal images and uniform labels. */
    static Batch labelled(OwnedMemory memory, DType dtype, Shape images, int classes, long seed) {
        Rng rng = new Rng(seed, Rng.Stream.DIGITS, 0);
        Tensor labels = tensor(memory, DType.I32, Shape.of(images.size(0)));
        labels.fill(() -> rng.nextLong(classes));
        return new Batch(normal(memory, dtype, images, rng), labels, memory);
    }

    /** Standard normal images and targets. */
    static Batch regression(OwnedMemory memory, DType dtype, Shape images, Shape target, long seed) {
        Rng rng = new Rng(seed, Rng.Stream.DIGITS, 0);
        return new Batch(normal(memory, dtype, images, rng), normal(memory, dtype, target, rng), memory);
    }

    private static Tensor normal(OwnedMemory memory, DType dtype, Shape shape, Rng rng) {
        Tensor tensor = tensor(memory, dtype, shape);
        tensor.fill(rng::nextGaussian);
        return tensor;
    }

    private static Tensor tensor(OwnedMemory memory, DType dtype, Shape shape) {
        Layout layout = shape.rank() == 4 ? Layout.CHANNELS_LAST : Layout.ROW_MAJOR;
        return Tensor.view(memory.allocate(shape.elementCount() * dtype.byteSize()), dtype, shape, layout);
    }
}
