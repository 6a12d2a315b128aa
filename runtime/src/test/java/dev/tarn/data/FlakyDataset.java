package dev.tarn.data;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/** The same images, of which one cannot be read while something is broken. */
public final class FlakyDataset extends Subset {
    private final long image;
    private final boolean[] broken;

    public FlakyDataset(Dataset whole, long image, boolean[] broken) {
        super(whole, IntStream.range(0, Math.toIntExact(whole.size())).toArray());
        this.image = image;
        this.broken = broken;
    }

    @Override
    public void read(long index, MemorySegment target) {
        if (broken[0] && index == image) {
            throw new IllegalStateException("a cable fell out");
        }
        super.read(index, target);
    }
}
