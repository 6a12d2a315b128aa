package dev.tarn.bench;

import dev.tarn.graph.Window;
import dev.tarn.tensor.Shape;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * The sizes of a layer: n square images of ic channels, windows of kernel x kernel, oc channels out. Pooling and batch
 * normalisation treat each channel alone.
 */
public record LayerShape(
        String name,
        Op op,
        long n,
        long ic,
        long oc,
        long size,
        long kernel,
        long stride,
        long padding,
        long groups) {
    /** What a layer computes. */
    public enum Op {
        CONV,
        MAXPOOL,
        BATCHNORM
    }

    /** The layers that the targets are about. */
    public static final String LAYERS = "layers";

    /** The layers of a file of shapes, such as {@value #LAYERS} or {@code resnet50}. */
    public static List<LayerShape> all(String file) {
        String resource = file + ".txt";
        InputStream found = LayerShape.class.getResourceAsStream(resource);
        if (found == null) {
            throw new IllegalArgumentException("there is no list of layers " + file);
        }
        try (InputStream in = found;
                var lines = new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8))) {
            return lines.lines()
                    .filter(line -> !line.isBlank() && !line.startsWith("#"))
                    .map(LayerShape::parse)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** A layer of a file by its name. */
    public static LayerShape find(String file, String name) {
        return all(file).stream()
                .filter(shape -> shape.name.equals(name))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException("there is no layer %s; there are %s"
                        .formatted(
                                name, all(file).stream().map(LayerShape::name).toList())));
    }

    static LayerShape parse(String line) {
        String[] words = line.strip().split(" +", -1);
        if (words.length != 10) {
            throw new IllegalArgumentException("a name, an operation and eight numbers, not '%s'".formatted(line));
        }
        long[] numbers = new long[words.length];
        for (int i = 2; i < words.length; i++) {
            numbers[i] = Long.parseLong(words[i]);
        }
        return new LayerShape(
                words[0],
                Op.valueOf(words[1].toUpperCase(Locale.ROOT)),
                numbers[2],
                numbers[3],
                numbers[4],
                numbers[5],
                numbers[6],
                numbers[7],
                numbers[8],
                numbers[9]);
    }

    /** Whether the layer has that direction: pooling learns nothing, and batch normalisation does all at once. */
    public boolean has(Direction direction) {
        return op == Op.CONV || direction != Direction.BACKWARD_WEIGHT;
    }

    /** Rows, and columns, of the output. */
    public long outputSize() {
        return Window.window(kernel).stride(stride).padding(padding).floor().outputRows(size, name);
    }

    /** (N, C, H, W) */
    public Shape input() {
        return Shape.of(n, ic, size, size);
    }

    /** (N, O, OH, OW) */
    public Shape output() {
        return Shape.of(n, oc, outputSize(), outputSize());
    }

    /** (O, C/groups, K, K); of batch normalisation (C). */
    public Shape weight() {
        return op == Op.CONV ? Shape.of(oc, ic / groups, kernel, kernel) : Shape.of(oc);
    }

    /**
     * Multiplications and additions of one image by direct count, padding included; the same in all three directions.
     * 0 for layers that are bound by memory.
     */
    public double flopsPerImage() {
        return op == Op.CONV
                ? 2.0 * output().elementCount() / n * weight().elementCount() / oc
                : 0;
    }

    /** Bytes that a direction has to read and write at least, once each, of float32. */
    public double bytes(Direction direction) {
        double images = (double) input().elementCount() + output().elementCount();
        // Backward of batch normalisation also reads what forward read.
        double again = op == Op.BATCHNORM && direction == Direction.BACKWARD_DATA ? input().elementCount() : 0;
        double weights = op == Op.CONV ? weight().elementCount() : 0;
        return Float.BYTES * (images + again + weights);
    }

    @Override
    public String toString() {
        return Objects.requireNonNull(name);
    }
}
