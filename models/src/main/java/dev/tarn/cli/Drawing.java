package dev.tarn.cli;

import dev.tarn.data.Dataset;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Grey images as text, two rows of pixels in one line, since characters are about twice as high as wide. */
final class Drawing {
    private static final String INK = " .:-=+*#%@";

    private Drawing() {}

    /** Draws the first channel of an image, with a caption beside its middle. */
    static void print(PrintStream out, Dataset dataset, long index, String caption) {
        int rows = (int) dataset.imageShape().size(1);
        int columns = (int) dataset.imageShape().size(2);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(dataset.imageShape().elementCount());
            dataset.read(index, image);
            for (int row = 0; row + 1 < rows; row += 2) {
                StringBuilder line = new StringBuilder("  ");
                for (int column = 0; column < columns; column++) {
                    int sum = pixel(image, row * columns + column) + pixel(image, (row + 1) * columns + column);
                    line.append(INK.charAt(sum * (INK.length() - 1) / (2 * 255)));
                }
                out.println(row / 2 == rows / 4 ? line.append("  ").append(caption) : line);
            }
        }
    }

    private static int pixel(MemorySegment image, long offset) {
        return image.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }
}
