package dev.tarn.bench.kernels;

import dev.tarn.graph.Window;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;

/** The sizes of a convolution: n square images of ic channels, oc filters of kernel x kernel. */
record ConvShape(
        String name, long n, long ic, long oc, long size, long kernel, long stride, long padding, long groups) {
    /** What times are a share of; see the file. */
    static final String YARDSTICK = "gemm_1024";

    private static final String FILE = "convolutions.txt";

    /** All shapes of {@value #FILE}. */
    static List<ConvShape> all() {
        try (InputStream in = Objects.requireNonNull(ConvShape.class.getResourceAsStream(FILE), FILE);
                var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return lines.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(ConvShape::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    static ConvShape find(String name) {
        return all().stream()
                .filter(shape -> shape.name.equals(name))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException("there is no shape %s; there are %s"
                        .formatted(name, all().stream().map(ConvShape::name).toList())));
    }

    private static ConvShape parse(String line) {
        String[] words = line.split(" +", -1);
        if (words.length != 9) {
            throw new IllegalArgumentException("%s: a name and eight numbers, not '%s'".formatted(FILE, line));
        }
        long[] numbers = new long[words.length];
        for (int i = 1; i < words.length; i++) {
            numbers[i] = Long.parseLong(words[i]);
        }
        return new ConvShape(
                words[0],
                numbers[1],
                numbers[2],
                numbers[3],
                numbers[4],
                numbers[5],
                numbers[6],
                numbers[7],
                numbers[8]);
    }

    /** Rows, and columns, of the output. */
    long outputSize() {
        return Window.window(kernel).stride(stride).padding(padding).floor().outputRows(size, name);
    }

    long inputCount() {
        return n * size * size * ic;
    }

    long weightCount() {
        return kernel * kernel * (ic / groups) * oc;
    }

    long outputCount() {
        return n * outputSize() * outputSize() * oc;
    }

    /**
     * Multiplications and additions of one image by direct count, padding included; the same in all three directions.
     */
    double flopsPerImage() {
        return 2.0 * (outputCount() / n) * (weightCount() / oc);
    }
}
