package dev.tarn.data;

import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Objects;

/**
 * Images and labels one after another off the heap: what every reader of this package gives, and where a program puts images of
 * its own.
 *
 * <p>The memory is freed once the data set is unreachable. An {@code Arena.ofAuto()} would do that too, but the JDK counts its
 * bytes against a limit that defaults to the heap's size, and data sets are larger than our heaps.
 */
public final class MemoryDataset implements Dataset {
    private static final Cleaner CLEANER = Cleaner.create();

    private final long size;
    private final Shape imageShape;
    private final List<String> classNames;
    private final MemorySegment images; // size x C*H*W bytes
    private final MemorySegment labels; // size bytes

    /** Zeroed memory for so many images, which the caller fills. */
    public MemoryDataset(long size, Shape imageShape, List<String> classNames) {
        this.size = size;
        this.imageShape = imageShape;
        this.classNames = List.copyOf(classNames);
        Arena arena = Arena.ofShared();
        CLEANER.register(this, arena::close);
        this.images = arena.allocate(Math.multiplyExact(size, imageShape.elementCount()), OwnedMemory.ALIGNMENT);
        this.labels = arena.allocate(size, OwnedMemory.ALIGNMENT);
    }

    /** All images, to be filled; valid as long as this data set is reachable. */
    public MemorySegment images() {
        return images;
    }

    /**
     * Sets a label.
     *
     * @throws DataException if no class has that number; {@code source} and {@code place} say where it was read
     */
    public void setLabel(long index, int label, Object source, long place) {
        if (label < 0 || label >= classNames.size()) {
            throw new DataException(
                    "%s: label %d of image %,d is out of range: there are %d classes, 0 to %d; check that the file is of this data set"
                            .formatted(source, label, place, classNames.size(), classNames.size() - 1));
        }
        labels.set(ValueLayout.JAVA_BYTE, index, (byte) label);
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public Shape imageShape() {
        return imageShape;
    }

    @Override
    public List<String> classNames() {
        return classNames;
    }

    @Override
    public int label(long index) {
        int label = labels.get(ValueLayout.JAVA_BYTE, Objects.checkIndex(index, size)) & 0xFF;
        Reference.reachabilityFence(this);
        return label;
    }

    @Override
    public void read(long index, MemorySegment target) {
        long bytes = imageShape.elementCount();
        MemorySegment.copy(images, Objects.checkIndex(index, size) * bytes, target, 0, bytes);
        Reference.reachabilityFence(this);
    }
}
