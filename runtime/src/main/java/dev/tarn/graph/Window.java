package dev.tarn.graph;

import dev.tarn.tensor.ShapeException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The window of convolutions and pooling. The one place that knows the output size:
 *
 * <pre>out = (in - (dilation * (kernel - 1) + 1) + padding before + padding after) / stride + 1</pre>
 *
 * By default the division must leave no remainder. {@link #floor()} asks for rounding down, as PyTorch and ONNX do; then some
 * rows or columns at the end may never be read.
 */
public final class Window {
    /** What happens when the windows do not cover the input exactly. */
    public enum Rounding {
        STRICT,
        FLOOR
    }

    private final Axis rows;
    private final Axis columns;
    private final Rounding rounding;

    /** One dimension of a window. */
    public record Axis(long kernel, long stride, long before, long after, long dilation) {
        /** How many input positions the kernel spans: dilation * (kernel - 1) + 1. */
        public long span() {
            return dilation * (kernel - 1) + 1;
        }

        private Axis check() {
            if (kernel < 1 || stride < 1 || dilation < 1 || before < 0 || after < 0) {
                throw new IllegalArgumentException(
                        "a window has kernel, stride and dilation of at least 1 and no negative padding: " + this);
            }
            return this;
        }
    }

    private Window(Axis rows, Axis columns, Rounding rounding) {
        this.rows = rows.check();
        this.columns = columns.check();
        this.rounding = rounding;
    }

    /** A square window with stride 1 and no padding. */
    public static Window window(long kernel) {
        return of(kernel, kernel);
    }

    /** A rectangular window with stride 1 and no padding. */
    public static Window of(long kernelRows, long kernelColumns) {
        return new Window(new Axis(kernelRows, 1, 0, 0, 1), new Axis(kernelColumns, 1, 0, 0, 1), Rounding.STRICT);
    }

    /** The same window, moved by {@code stride} rows and columns. */
    public Window stride(long stride) {
        return stride(stride, stride);
    }

    public Window stride(long strideRows, long strideColumns) {
        return new Window(
                new Axis(rows.kernel, strideRows, rows.before, rows.after, rows.dilation),
                new Axis(columns.kernel, strideColumns, columns.before, columns.after, columns.dilation),
                rounding);
    }

    /** The same window with as many zeros on each of the four sides. */
    public Window padding(long padding) {
        return padding(padding, padding, padding, padding);
    }

    /** The same window with zeros on the four sides, as many on each as given. */
    public Window padding(long top, long left, long bottom, long right) {
        return new Window(
                new Axis(rows.kernel, rows.stride, top, bottom, rows.dilation),
                new Axis(columns.kernel, columns.stride, left, right, columns.dilation),
                rounding);
    }

    /**
     * The same window, padded so that stride 1 keeps the size: (span - 1) / 2 on each side.
     *
     * @throws IllegalArgumentException for even spans, which cannot be padded evenly
     */
    public Window same() {
        if (rows.span() % 2 == 0 || columns.span() % 2 == 0) {
            throw new IllegalArgumentException("a window of span %d x %d has no equal padding that keeps the size; "
                            .formatted(rows.span(), columns.span())
                    + "give the four sides with padding(top, left, bottom, right)");
        }
        long p = (rows.span() - 1) / 2;
        long q = (columns.span() - 1) / 2;
        return padding(p, q, p, q);
    }

    /** The same window with {@code dilation - 1} positions left out between neighbours of the kernel. */
    public Window dilation(long dilation) {
        return new Window(
                new Axis(rows.kernel, rows.stride, rows.before, rows.after, dilation),
                new Axis(columns.kernel, columns.stride, columns.before, columns.after, dilation),
                rounding);
    }

    /** The same window, rounding the output size down where it does not fit. */
    public Window floor() {
        return new Window(rows, columns, Rounding.FLOOR);
    }

    public Axis rows() {
        return rows;
    }

    public Axis columns() {
        return columns;
    }

    /** Output rows for that many input rows; {@code path} names the layer in the error. */
    public long outputRows(long input, String path) {
        return output(rows, input, path, "rows");
    }

    /** Output columns for that many input columns. */
    public long outputColumns(long input, String path) {
        return output(columns, input, path, "columns");
    }

    private long output(Axis axis, long input, String path, String what) {
        long room = input - axis.span() + axis.before + axis.after;
        if (room < 0) {
            throw new ShapeException(
                    path,
                    "at least %d %s".formatted(axis.span() - axis.before - axis.after, what),
                    input + " " + what,
                    "the window spans %d and padding is %d + %d".formatted(axis.span(), axis.before, axis.after));
        }
        if (room % axis.stride != 0 && rounding == Rounding.STRICT) {
            throw new ShapeException(
                    path,
                    "%s that the window covers exactly".formatted(what),
                    input + " " + what,
                    String.format(
                            Locale.ROOT,
                            "(%d - %d + %d + %d) / %d + 1 = %.2f; what fits: %s; or round down with floor()",
                            input,
                            axis.span(),
                            axis.before,
                            axis.after,
                            axis.stride,
                            room / (double) axis.stride + 1,
                            String.join(", ", fitting(axis, input))));
        }
        return room / axis.stride + 1;
    }

    /** Nearby settings that fit, each with the output size that it gives. */
    private static List<String> fitting(Axis axis, long input) {
        List<String> found = new ArrayList<>();
        for (long padding = 0; padding < axis.stride + axis.before; padding++) {
            long room = input - axis.span() + 2 * padding;
            if (axis.before == axis.after && room >= 0 && room % axis.stride == 0) {
                found.add("padding %d -> %d".formatted(padding, room / axis.stride + 1));
                break;
            }
        }
        long room = input - axis.span() + axis.before + axis.after;
        found.add("input %d -> %d".formatted(input - room % axis.stride, room / axis.stride + 1));
        for (long stride = axis.stride - 1; stride >= 1; stride--) {
            if (room % stride == 0) {
                found.add("stride %d -> %d".formatted(stride, room / stride + 1));
                break;
            }
        }
        return found;
    }

    /** {@code 3x3 stride 2x2 padding 1,1,1,1 dilation 1x1} */
    @Override
    public String toString() {
        return "%dx%d stride %dx%d padding %d,%d,%d,%d dilation %dx%d"
                .formatted(
                        rows.kernel,
                        columns.kernel,
                        rows.stride,
                        columns.stride,
                        rows.before,
                        columns.before,
                        rows.after,
                        columns.after,
                        rows.dilation,
                        columns.dilation);
    }
}
