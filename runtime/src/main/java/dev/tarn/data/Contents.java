package dev.tarn.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/** What images are told apart by: their pixels or, where these are decoded whenever they are read, the bytes of their files. */
final class Contents implements AutoCloseable {
    private final Dataset dataset;
    private final Arena arena = Arena.ofConfined();
    private final MemorySegment image;
    private final ByteBuffer bytes;

    Contents(Dataset dataset) {
        this.dataset = dataset;
        this.image = arena.allocate(dataset.imageShape().elementCount());
        this.bytes = image.asByteBuffer();
    }

    /** Hands over an image's bytes, in pieces that are valid during the call. */
    void read(long index, Consumer<ByteBuffer> sink) {
        if (dataset instanceof DecodedDataset decoded) {
            decoded.readFile(index, sink);
        } else {
            dataset.read(index, image);
            sink.accept(bytes.rewind());
        }
    }

    @Override
    public void close() {
        arena.close();
    }
}
