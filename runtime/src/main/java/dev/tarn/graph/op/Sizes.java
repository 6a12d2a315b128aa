package dev.tarn.graph.op;

import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.kernel.KernelCall;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;

/** Sizes as the kernels name them, for images (N, C, H, W) and rows (N, C), which are images of one pixel. */
final class Sizes {
    private Sizes() {}

    static long channels(Shape shape) {
        return shape.size(1);
    }

    static long rows(Shape shape) {
        return shape.rank() == 4 ? shape.size(2) : 1;
    }

    static long columns(Shape shape) {
        return shape.rank() == 4 ? shape.size(3) : 1;
    }

    static long pixels(Shape shape) {
        return rows(shape) * columns(shape);
    }

    /** Elements of one example. */
    static long count(Shape shape) {
        return shape.size(0) == 0 ? 0 : shape.elementCount() / shape.size(0);
    }

    /** The elements that an elementwise call runs over: those of one example, or all of a weight, once for the batch. */
    static KernelCall<Value> elementwise(KernelCall<Value> call, Value value) {
        return value.layout() == Layout.WEIGHT
                ? call.once().set("count", value.shape().elementCount())
                : call.set("count", count(value.shape()));
    }

    /** Fields shared by convolutions and pooling. */
    static KernelCall<Value> window(KernelCall<Value> call, Shape input, Shape output, Window window) {
        return call.set("h", rows(input))
                .set("w", columns(input))
                .set("oh", rows(output))
                .set("ow", columns(output))
                .set("kh", window.rows().kernel())
                .set("kw", window.columns().kernel())
                .set("sh", window.rows().stride())
                .set("sw", window.columns().stride())
                .set("pt", window.rows().before())
                .set("pl", window.columns().before())
                .set("dh", window.rows().dilation())
                .set("dw", window.columns().dilation());
    }

    /** (N, C, OH, OW) of images whose channels are pooled one by one. */
    static Shape pooled(Shape x, Window window, String path) {
        requireImages(x, path);
        return Shape.of(
                x.size(0), x.size(1), window.outputRows(x.size(2), path), window.outputColumns(x.size(3), path));
    }

    /** Copies neighbouring channels of every pixel; {@code op} says what becomes of the other channels of {@code to}. */
    static KernelCall<Value> channelCopy(
            String op, Value from, long fromChannel, Value to, long toChannel, long channels) {
        return KernelCall.<Value>of(op, to.dtype())
                .set("hw", pixels(to.shape()))
                .set("c", channels)
                .set("input_pitch", channels(from.shape()))
                .set("input_channel", fromChannel)
                .set("output_pitch", channels(to.shape()))
                .set("output_channel", toChannel)
                .set("input", from)
                .set("output", to);
    }

    static void requireImages(Shape shape, String path) {
        if (shape.rank() != 4) {
            throw new ShapeException(path, "(N, C, H, W)", shape.toString(), "the layer works on images");
        }
    }

    static void requireImagesOrRows(Shape shape, String path) {
        if (shape.rank() != 4 && shape.rank() != 2) {
            throw new ShapeException(
                    path, "(N, C, H, W) or (N, C)", shape.toString(), "the layer works on images or rows");
        }
    }

    static void requireSame(Shape a, Shape b, String path) {
        if (!a.equals(b)) {
            throw new ShapeException(path, a.toString(), b.toString(), "both operands have one shape");
        }
    }
}
