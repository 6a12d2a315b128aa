package dev.tarn.data;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.function.Consumer;

/**
 * Images that are decoded whenever they are read, from originals of any size. That is dear, so a loader reads several at a time, and what
 * needs a pass over all of them reads their files as they are; and a random crop is cut from the original.
 */
sealed interface DecodedDataset extends Dataset permits ImageFiles, DecodedSubset {
    /** Decodes an image; its pixels live in the arena. */
    Picture decode(long index, Arena arena);

    /** How an original becomes an image where nothing else is said. */
    Fit fit();

    /** Hands over all bytes of an image's file, in pieces that are valid during the call. */
    void readFile(long index, Consumer<ByteBuffer> sink);

    @Override
    default void read(long index, MemorySegment target) {
        try (Arena arena = Arena.ofConfined()) {
            fit().apply(decode(index, arena), target);
        }
    }
}
