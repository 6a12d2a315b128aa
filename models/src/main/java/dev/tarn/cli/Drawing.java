package dev.tarn.cli;

import dev.tarn.data.Dataset;
import java.io.PrintStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;

/** Grey images as text, two rows of pixels in one line, since characters are about twice as high as wide. */
final class Drawing {
    private static final String INK = " .:-=+*#%@";

    private Drawing() {}

    /** Draws the first channels of a data set's first images side by side, with a caption above each. */
    static void print(PrintStream out, Dataset dataset, List<String> captions) {
        int rows = (int) dataset.imageShape().size(1);
        int columns = (int) dataset.imageShape().size(2);
        StringBuilder[] lines = new StringBuilder[rows / 2];
        Arrays.setAll(lines, i -> new StringBuilder());
        StringBuilder title = new StringBuilder();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment image = arena.allocate(dataset.imageShape().elementCount());
            for (int i = 0; i < captions.size(); i++) {
                dataset.read(i, image);
                title.append(("%-" + columns + "s  ").formatted(captions.get(i)));
                for (int line = 0; line < lines.length; line++) {
                    for (int column = 0; column < columns; column++) {
                        int above = pixel(image, 2L * line * columns + column);
                        int below = pixel(image, (2L * line + 1) * columns + column);
                        lines[line].append(INK.charAt((above + below) * (INK.length() - 1) / (2 * 255)));
                    }
                    lines[line].append("  ");
                }
            }
        }
        out.println(title.toString().stripTrailing());
        for (StringBuilder line : lines) {
            out.println(line.toString().stripTrailing());
        }
    }

    private static int pixel(MemorySegment image, long offset) {
        return image.get(ValueLayout.JAVA_BYTE, offset) & 0xFF;
    }
}
