package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Some images of a data set. */
class Subset implements Dataset {
    private final Dataset whole;
    private final int[] indices;

    /** @param indices of the images in {@code whole}; not copied */
    static Dataset of(Dataset whole, int[] indices) {
        return whole instanceof DecodedDataset decoded
                ? new DecodedSubset(decoded, indices)
                : new Subset(whole, indices);
    }

    Subset(Dataset whole, int[] indices) {
        this.whole = whole;
        this.indices = indices;
    }

    final long indexInWhole(long index) {
        return indices[Math.toIntExact(index)];
    }

    @Override
    public long size() {
        return indices.length;
    }

    @Override
    public Shape imageShape() {
        return whole.imageShape();
    }

    @Override
    public List<String> classNames() {
        return whole.classNames();
    }

    @Override
    public int label(long index) {
        return whole.label(indexInWhole(index));
    }

    @Override
    public String name(long index) {
        return whole.name(indexInWhole(index));
    }

    @Override
    public void read(long index, MemorySegment target) {
        whole.read(indexInWhole(index), target);
    }
}
