package dev.tarn.data;

import java.awt.Point;
import java.awt.image.BandedSampleModel;
import java.awt.image.DataBuffer;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Where the JDK's readers put the pixels they decode: planes of bytes off the heap, turned upright on the way. */
final class OffHeapRaster extends WritableRaster {
    private static final int TYPE = DataBuffer.TYPE_BYTE;

    private final Pixels pixels;
    private final byte[] row;

    /** @param planes a plane of width x height bytes for each band */
    OffHeapRaster(MemorySegment planes, ImageHeader header) {
        this(new Pixels(planes, header), header);
    }

    private OffHeapRaster(Pixels pixels, ImageHeader header) {
        super(new BandedSampleModel(TYPE, header.width(), header.height(), header.bands()), pixels, new Point());
        this.pixels = pixels;
        this.row = new byte[header.width() * header.bands()];
    }

    /** The readers give JPEGs row by row, so that this is most of what is not decoding; the inherited way takes as long as that. */
    @Override
    public void setRect(int x, int y, Raster source) {
        if (x == 0 && source.getWidth() == getWidth() && source.getHeight() == 1 && source.getTransferType() == TYPE) {
            source.getDataElements(source.getMinX(), source.getMinY(), getWidth(), 1, row);
            pixels.setRow(y, row);
        } else {
            super.setRect(x, y, source);
        }
    }

    /** Element y w + x of bank c is sample c of the file's pixel (x, y), whose upright place is linear in x and y. */
    private static final class Pixels extends DataBuffer {
        private final MemorySegment planes;
        private final int width;
        private final int origin;
        private final int stepX;
        private final int stepY;

        Pixels(MemorySegment planes, ImageHeader header) {
            super(TYPE, header.width() * header.height(), header.bands());
            this.planes = planes;
            this.width = header.width();
            int w = header.width();
            int h = header.height();
            int[] place = // where pixel (0, 0) goes, and how far from it its right and its lower neighbour
                    switch (header.orientation()) {
                        case 2 -> new int[] {w - 1, -1, w}; // mirrored
                        case 3 -> new int[] {w * h - 1, -1, -w}; // turned by 180 degrees
                        case 4 -> new int[] {w * (h - 1), 1, -w}; // mirrored upside down
                        case 5 -> new int[] {0, h, 1}; // rows are columns
                        case 6 -> new int[] {h - 1, h, -1}; // to be turned right
                        case 7 -> new int[] {w * h - 1, -h, -1}; // rows are columns, turned by 180 degrees
                        case 8 -> new int[] {(w - 1) * h, -h, 1}; // to be turned left
                        default -> new int[] {0, 1, w};
                    };
            this.origin = place[0];
            this.stepX = place[1];
            this.stepY = place[2];
        }

        /** @param row samples of a pixel after samples of a pixel */
        void setRow(int y, byte[] row) {
            for (int bank = 0; bank < banks; bank++) {
                long place = (long) bank * size + origin + y * stepY;
                for (int x = 0; x < width; x++) {
                    planes.set(ValueLayout.JAVA_BYTE, place + x * stepX, row[x * banks + bank]);
                }
            }
        }

        private long place(int bank, int i) {
            int y = i / width;
            int x = i - y * width;
            return (long) bank * size + origin + x * stepX + y * stepY;
        }

        @Override
        public int getElem(int bank, int i) {
            return planes.get(ValueLayout.JAVA_BYTE, place(bank, i)) & 0xFF;
        }

        @Override
        public void setElem(int bank, int i, int value) {
            planes.set(ValueLayout.JAVA_BYTE, place(bank, i), (byte) value);
        }
    }
}
