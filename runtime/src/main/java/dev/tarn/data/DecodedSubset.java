package dev.tarn.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** Some images of a data set that decodes them. */
final class DecodedSubset extends Subset implements DecodedDataset {
    private final DecodedDataset whole;

    DecodedSubset(DecodedDataset whole, int[] indices) {
        super(whole, indices);
        this.whole = whole;
    }

    @Override
    public Picture decode(long index, Arena arena) {
        return whole.decode(indexInWhole(index), arena);
    }

    @Override
    public Fit fit() {
        return whole.fit();
    }

    @Override
    public void readFile(long index, Consumer<ByteBuffer> sink) {
        whole.readFile(indexInWhole(index), sink);
    }

    @Override
    public void read(long index, MemorySegment target) {
        whole.read(indexInWhole(index), target);
    }
}
