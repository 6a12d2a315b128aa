package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/** Images that tell their index and place: pixel p of image i is (31 i + p) modulo 256, its label i modulo 10. */
class PatternDataset implements Dataset {
    private final long size;
    private final Shape imageShape;

    PatternDataset(long size, Shape imageShape) {
        this.size = size;
        this.imageShape = imageShape;
    }

    static int pixel(long index, long place) {
        return (int) (31 * index + place) & 0xFF;
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
        return List.of("0", "1", "2", "3", "4", "5", "6", "7", "8", "9");
    }

    @Override
    public int label(long index) {
        return (int) (index % 10);
    }

    @Override
    public void read(long index, MemorySegment target) {
        for (long p = 0; p < imageShape.elementCount(); p++) {
            target.set(ValueLayout.JAVA_BYTE, p, (byte) pixel(index, p));
        }
    }
}
