package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Some images of a data set. */
final class Subset implements Dataset {
    private final Dataset whole;
    private final int[] indices;

    /** @param indices of the images in {@code whole}; not copied */
    Subset(Dataset whole, int[] indices) {
        this.whole = whole;
        this.indices = indices;
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
        return whole.label(indices[Math.toIntExact(index)]);
    }

    @Override
    public String name(long index) {
        return whole.name(indices[Math.toIntExact(index)]);
    }

    @Override
    public void read(long index, MemorySegment target) {
        whole.read(indices[Math.toIntExact(index)], target);
    }
}
