package dev.tarn.data;

import java.awt.image.DataBuffer;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Where the JDK's readers put the pixels they decode: planes of bytes off the heap, turned upright on the way. Element y w + x of bank c
 * is sample c of the file's pixel (x, y), whose upright place is linear in x and y.
 */
final class OffHeapPixels extends DataBuffer {
    private final MemorySegment pixels;
    private final int width;
    private final int origin;
    private final int stepX;
    private final int stepY;

    /** @param pixels a plane of width x height bytes for each band */
    OffHeapPixels(MemorySegment pixels, ImageHeader header) {
        super(TYPE_BYTE, header.width() * header.height(), header.bands());
        this.pixels = pixels;
        this.width = header.width();
        int w = header.width();
        int h = header.height();
        int[] place = // where pixel (0, 0) goes, and how far apart its right and its lower neighbour are from it
                switch (header.orientation()) {
                    case 2 -> new int[] {w - 1, -1, w}; // mirrored
                    case 3 -> new int[] {w * h - 1, -1, -w}; // upside down
                    case 4 -> new int[] {w * (h - 1), 1, -w}; // both
                    case 5 -> new int[] {0, h, 1}; // rows are columns
                    case 6 -> new int[] {h - 1, h, -1}; // to be turned right
                    case 7 -> new int[] {w * h - 1, -h, -1}; // rows are columns, upside down
                    case 8 -> new int[] {(w - 1) * h, -h, 1}; // to be turned left
                    default -> new int[] {0, 1, w};
                };
        this.origin = place[0];
        this.stepX = place[1];
        this.stepY = place[2];
    }

    private long place(int bank, int i) {
        int y = i / width;
        int x = i - y * width;
        return (long) bank * size + origin + x * stepX + y * stepY;
    }

    @Override
    public int getElem(int bank, int i) {
        return pixels.get(ValueLayout.JAVA_BYTE, place(bank, i)) & 0xFF;
    }

    @Override
    public void setElem(int bank, int i, int value) {
        pixels.set(ValueLayout.JAVA_BYTE, place(bank, i), (byte) value);
    }
}
