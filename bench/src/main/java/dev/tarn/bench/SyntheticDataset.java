package dev.tarn.bench;

import dev.tarn.data.Dataset;
import dev.tarn.tensor.Shape;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Random bytes off the heap with random labels: as much work for a loader as any other data set, and no file. */
final class SyntheticDataset implements Dataset, AutoCloseable {
    /** Large against caches and against a loader's ring, and a multiple of the usual batches. */
    private static final int IMAGES = 8192;

    private final Shape imageShape;
    private final long size;
    private final Arena arena = Arena.ofShared();
    private final MemorySegment pixels; // size x C*H*W bytes
    private final byte[] labels;

    /** Whole batches only, so that each step is as large as the others. */
    SyntheticDataset(Workload workload) {
        imageShape = workload.image();
        size = Math.ceilDiv(IMAGES, workload.batch()) * (long) workload.batch();
        Random random = new Random(1);
        byte[] bytes = new byte[Math.toIntExact(imageShape.elementCount())];
        pixels = arena.allocate(size * bytes.length);
        for (long i = 0; i < size; i++) {
            random.nextBytes(bytes);
            MemorySegment.copy(bytes, 0, pixels, ValueLayout.JAVA_BYTE, i * bytes.length, bytes.length);
        }
        labels = new byte[Math.toIntExact(size)];
        for (int i = 0; i < labels.length; i++) {
            labels[i] = (byte) random.nextInt(Workload.CLASSES);
        }
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
        return IntStream.range(0, Workload.CLASSES).mapToObj(Integer::toString).toList();
    }

    @Override
    public int label(long index) {
        return labels[(int) index];
    }

    @Override
    public void read(long index, MemorySegment target) {
        long bytes = imageShape.elementCount();
        MemorySegment.copy(pixels, index * bytes, target, 0, bytes);
    }

    @Override
    public void close() {
        arena.close();
    }
}
