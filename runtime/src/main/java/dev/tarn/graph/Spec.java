package dev.tarn.graph;

import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;

/**
 * What an operation says of one of its outputs.
 *
 * @param suffix added to the node's path to name the value; empty for the main output
 * @param kind what the value is for
 */
public record Spec(String suffix, Value.Kind kind, DType dtype, Shape shape, Layout layout) {
    /** The main output of an operation: activations of that shape, images channels-last. */
    public static Spec activation(DType dtype, Shape shape) {
        return new Spec("", Value.Kind.ACTIVATION, dtype, shape, imageLayout(shape));
    }

    /** The main output of an operation that keeps its input's type, shape and order. */
    public static Spec like(Value input) {
        return new Spec("", Value.Kind.ACTIVATION, input.dtype(), input.shape(), input.layout());
    }

    /** The main output of a loss: one number, in double. */
    public static Spec loss() {
        return activation(DType.F64, Shape.of(1));
    }

    /** Something kept from forward to backward. */
    public static Spec workspace(String suffix, DType dtype, Shape shape) {
        return new Spec("." + suffix, Value.Kind.WORKSPACE, dtype, shape, imageLayout(shape));
    }

    private static Layout imageLayout(Shape shape) {
        return shape.rank() == 4 ? Layout.CHANNELS_LAST : Layout.ROW_MAJOR;
    }
}
