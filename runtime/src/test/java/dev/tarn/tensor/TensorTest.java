package dev.tarn.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import org.junit.jupiter.api.Test;

class TensorTest {
    private static Tensor counting(Shape shape, DType dtype, Layout layout) {
        Tensor tensor =
                Tensor.view(Arena.ofAuto().allocate(shape.elementCount() * dtype.byteSize(), 64), dtype, shape, layout);
        float[] values = new float[(int) shape.elementCount()];
        for (int i = 0; i < values.length; i++) {
            values[i] = i;
        }
        tensor.copyFrom(values);
        return tensor;
    }

    @Test
    void arrays_are_in_logical_order_in_every_layout() {
        Shape shape = Shape.of(2, 3, 4, 5);
        for (Layout layout : Layout.values()) {
            for (DType dtype : new DType[] {DType.F32, DType.F64, DType.I32, DType.I64, DType.U8}) {
                Tensor tensor = counting(shape, dtype, layout);
                float[] array = tensor.toArray();
                for (int i = 0; i < array.length; i++) {
                    assertEquals(i, array[i]);
                }
                assertEquals(((1 * 3 + 2) * 4 + 3) * 5 + 4, tensor.get(1, 2, 3, 4));
            }
        }
    }

    @Test
    void channels_last_puts_channels_next_to_each_other() {
        Tensor tensor = counting(Shape.of(1, 2, 1, 2), DType.F32, Layout.CHANNELS_LAST);
        assertArrayEquals(
                new float[] {0, 2, 1, 3},
                Tensor.view(tensor.data(), DType.F32, Shape.of(4), Layout.ROW_MAJOR)
                        .toArray());
    }

    @Test
    void weights_lie_as_a_matrix_of_window_and_input_by_output() {
        Tensor linear = counting(Shape.of(2, 3), DType.F32, Layout.WEIGHT);
        assertArrayEquals(
                new float[] {0, 3, 1, 4, 2, 5},
                Tensor.view(linear.data(), DType.F32, Shape.of(6), Layout.ROW_MAJOR)
                        .toArray());
    }

    @Test
    void copies_convert_type_and_layout() {
        Tensor from = counting(Shape.of(2, 3, 4, 5), DType.F64, Layout.CHANNELS_LAST);
        Tensor to = counting(Shape.of(2, 3, 4, 5), DType.F32, Layout.WEIGHT);
        to.copyFrom(from);
        assertArrayEquals(from.toArray(), to.toArray());
    }

    @Test
    void copies_keep_every_element_in_its_place_whatever_the_longest_dimension() {
        for (Shape shape : List.of(
                Shape.of(2, 3, 4, 5), Shape.of(7, 2, 1, 3), Shape.of(1, 1, 6, 6), Shape.of(2, 5, 1, 1), Shape.of(0, 3, 2, 2))) {
            for (Layout source : Layout.values()) {
                for (Layout target : Layout.values()) {
                    Tensor from = counting(shape, DType.F32, source);
                    Tensor to = counting(shape, DType.F32, target);
                    to.fill(() -> -1);
                    to.copyFrom(from);
                    assertArrayEquals(from.toArray(), to.toArray(), shape + " " + source + " to " + target);
                }
            }
        }
    }

    @Test
    void a_single_number_is_copied_between_types() {
        Tensor to = counting(Shape.of(), DType.F32, Layout.ROW_MAJOR);
        Tensor from = counting(Shape.of(), DType.F64, Layout.ROW_MAJOR);
        from.set(2.5);
        to.copyFrom(from);
        assertEquals(2.5, to.get());
    }

    @Test
    void a_prefix_is_the_first_examples() {
        Tensor tensor = counting(Shape.of(4, 2), DType.F32, Layout.ROW_MAJOR);
        assertArrayEquals(new float[] {0, 1, 2, 3}, tensor.prefix(2).toArray());
    }

    @Test
    void a_view_has_exactly_its_bytes() {
        MemorySegment segment = Arena.ofAuto().allocate(12);
        var e = assertThrows(
                ShapeException.class, () -> Tensor.view(segment, DType.F32, Shape.of(4), Layout.ROW_MAJOR));
        assertEquals("16 bytes", e.expected());
        assertEquals("12 bytes", e.actual());
    }

    @Test
    void indices_outside_the_shape_are_refused() {
        Tensor tensor = Tensor.of(Shape.of(2, 2), 1, 2, 3, 4);
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(2, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> tensor.get(0));
        assertThrows(ShapeException.class, () -> tensor.copyFrom(1f, 2f));
    }

    @Test
    void shapes_of_more_than_two_to_the_63_elements_are_refused() {
        assertThrows(IllegalArgumentException.class, () -> Shape.of(1L << 40, 1L << 40));
        assertThrows(IllegalArgumentException.class, () -> Shape.of(-1));
        assertEquals(1L << 40, Shape.of(1L << 20, 1L << 20).elementCount());
    }
}
