package dev.tarn.data;

import java.awt.image.IndexColorModel;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Turns planes of other colours into red, green and blue, in place. */
final class Colours {
    private Colours() {}

    /**
     * From one plane of places in a palette.
     *
     * @param depth bits of a place; it was widened to 0 .. 255
     */
    static void ofPalette(IndexColorModel palette, int depth, MemorySegment pixels, long plane) {
        int widened = 255 / ((1 << depth) - 1);
        for (long p = 0; p < plane; p++) {
            int place = Math.min((pixels.get(ValueLayout.JAVA_BYTE, p) & 0xFF) / widened, palette.getMapSize() - 1);
            pixels.set(ValueLayout.JAVA_BYTE, p, (byte) palette.getRed(place));
            pixels.set(ValueLayout.JAVA_BYTE, plane + p, (byte) palette.getGreen(place));
            pixels.set(ValueLayout.JAVA_BYTE, 2 * plane + p, (byte) palette.getBlue(place));
        }
    }

    /** From planes of cyan, magenta, yellow and black: {@code (255 - k) (255 - c) / 255}, rounded as Pillow does. */
    static void ofCmyk(MemorySegment pixels, long plane) {
        for (long p = 0; p < plane; p++) {
            int light = 255 - (pixels.get(ValueLayout.JAVA_BYTE, 3 * plane + p) & 0xFF);
            for (int c = 0; c < 3; c++) {
                int ink = pixels.get(ValueLayout.JAVA_BYTE, c * plane + p) & 0xFF;
                int product = ink * light + 128;
                int dark = ((product >> 8) + product) >> 8; // product / 255, rounded
                pixels.set(ValueLayout.JAVA_BYTE, c * plane + p, (byte) Math.max(light - dark, 0));
            }
        }
    }
}
