package dev.tarn.graph;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.tensor.ShapeException;
import org.junit.jupiter.api.Test;

class WindowTest {
    @Test
    void c7_a_window_that_does_not_fit_prints_the_formula_and_settings_that_fit() {
        var e = assertThrows(
                ShapeException.class, () -> Window.window(3).stride(3).outputRows(7, "conv1"));
        assertEquals("conv1", e.path());
        String message = e.getMessage();
        assertTrue(message.contains("(7 - 3 + 0 + 0) / 3 + 1 = 2.33"), message);
        assertTrue(
                message.contains("padding 1 -> 3")
                        && Window.window(3).stride(3).padding(1).outputRows(7, "") == 3,
                message);
        assertTrue(
                message.contains("input 6 -> 2") && Window.window(3).stride(3).outputRows(6, "") == 2, message);
        assertTrue(
                message.contains("stride 2 -> 3") && Window.window(3).stride(2).outputRows(7, "") == 3, message);
        assertEquals(2, Window.window(3).stride(3).floor().outputRows(7, ""));
    }

    @Test
    void c7_sizes_agree_with_counting_slides() {
        for (int n = 1; n <= 16; n++) {
            for (int f = 1; f <= 16; f++) {
                for (int s = 1; s <= 16; s++) {
                    for (int p = 0; p <= 16; p++) {
                        agreesWithCounting(n, f, s, p);
                    }
                }
            }
        }
    }

    private static void agreesWithCounting(int n, int f, int s, int p) {
        int slides = 0;
        int last = -1;
        for (int start = -p; start + f <= n + p; start += s) {
            slides++;
            last = start + f;
        }
        Window window = Window.window(f).stride(s).padding(p);
        if (slides == 0) {
            assertThrows(ShapeException.class, () -> window.floor().outputRows(n, ""));
        } else {
            assertEquals(slides, window.floor().outputRows(n, ""));
            if (last == n + p) {
                assertEquals(slides, window.outputRows(n, ""));
            } else {
                assertThrows(ShapeException.class, () -> window.outputRows(n, ""));
            }
        }
    }

    @Test
    void c8_the_formula_of_the_lecture_notes() {
        assertEquals(5, Window.window(3).outputRows(7, ""));
        assertEquals(3, Window.window(3).stride(2).outputRows(7, ""));
        assertEquals(32, Window.window(5).padding(2).outputRows(32, ""));
    }

    @Test
    void c9_same_padding_is_half_of_the_window() {
        for (int f : new int[] {3, 5, 7}) {
            Window same = Window.window(f).same();
            assertEquals((f - 1) / 2, same.rows().before());
            assertEquals(32, same.outputRows(32, ""));
        }
        assertThrows(IllegalArgumentException.class, () -> Window.window(4).same());
        assertEquals(32, Window.window(4).padding(1, 1, 2, 2).outputRows(32, ""));
    }

    @Test
    void c9_the_ends_alone_are_padded_as_tensorflow_does_at_stride_two() {
        Window same = Window.window(3).stride(2).padding(0, 0, 1, 1);
        for (int n = 2; n <= 224; n += 2) {
            assertEquals(n / 2, same.outputRows(n, ""));
            assertEquals(n / 2, same.outputColumns(n, ""));
        }
    }

    @Test
    void dilation_widens_the_span() {
        assertEquals(5, Window.window(3).dilation(2).rows().span());
        assertEquals(28, Window.window(3).dilation(2).outputRows(32, ""));
    }

    @Test
    void a_window_larger_than_the_padded_image_is_refused() {
        var e = assertThrows(ShapeException.class, () -> Window.window(5).outputColumns(3, "conv9"));
        assertEquals("at least 5 columns", e.expected());
    }
}
