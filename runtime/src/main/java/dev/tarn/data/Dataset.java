package dev.tarn.data;

import dev.tarn.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Labelled images of one shape, addressed by index. Several threads may read at once, and {@link #label} and {@link #read}
 * allocate nothing on the heap, since a loader calls them for every image of every epoch; only {@link ImageFiles} does, which decodes.
 */
public interface Dataset {
    /** Number of images. */
    long size();

    /** (C, H, W) */
    Shape imageShape();

    /** The name of each class, by label. */
    List<String> classNames();

    /** The class of an image, from 0 to the number of classes - 1. */
    int label(long index);

    /** What people find an image by: its file, where it has one of its own, or else its number. */
    default String name(long index) {
        return "image %,d".formatted(index);
    }

    /** Copies an image to {@code target}: C*H*W bytes of 0..255, plane by plane, each row by row. */
    void read(long index, MemorySegment target);
}
