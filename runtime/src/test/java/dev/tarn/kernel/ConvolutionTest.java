package dev.tarn.kernel;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.graph.Window;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Rows C2 to C6, C9, C12 and C13: what a convolution is, in the kernels of the active level. A sum of K products errs by at most
 * gamma_K of the sum of their sizes, in any order. Windows of 3x3 and stride 1 on many channels go by Winograd's algorithm, whose
 * bound is another: the tests in C have it.
 */
class ConvolutionTest {
    private static final Layout IMAGES = Layout.CHANNELS_LAST;

    private static double gamma(DType dtype, double k) {
        double u = dtype == DType.F64 ? 0x1p-53 : 0x1p-24;
        return k * u / (1 - k * u);
    }

    /** The definition in double, for stride and padding alike on all sides. */
    private static double[] sums(Tensor x, Tensor w, Window window, Shape output, boolean absolute) {
        long stride = window.rows().stride();
        long padding = window.rows().before();
        double[] y = new double[(int) output.elementCount()];
        for (int at = 0; at < y.length; at++) {
            long[] o = index(output, at);
            for (int t = 0; t < w.shape().elementCount() / w.shape().size(0); t++) {
                long[] k = index(w.shape(), t); // of filter 0
                long row = o[2] * stride + k[2] - padding;
                long column = o[3] * stride + k[3] - padding;
                boolean inside = row >= 0
                        && row < x.shape().size(2)
                        && column >= 0
                        && column < x.shape().size(3);
                double product = inside ? x.get(o[0], k[1], row, column) * w.get(o[1], k[1], k[2], k[3]) : 0;
                y[at] += absolute ? Math.abs(product) : product;
            }
        }
        return y;
    }

    private static long[] index(Shape shape, long at) {
        long[] index = new long[4];
        for (int d = 3; d >= 0; d--) {
            index[d] = at % shape.size(d);
            at /= shape.size(d);
        }
        return index;
    }

    private static void assertIsDefinition(Tensor got, Tensor x, Tensor w, Window window, double bias) {
        double[] exact = sums(x, w, window, got.shape(), false);
        double[] sizes = sums(x, w, window, got.shape(), true);
        double[] y = got.toDoubleArray();
        double bound =
                gamma(x.dtype(), w.shape().elementCount() / (double) w.shape().size(0) + 1);
        for (int i = 0; i < y.length; i++) {
            assertEquals(exact[i] + bias, y[i], bound * (sizes[i] + Math.abs(bias)));
        }
    }

    private static double inner(Tensor a, Tensor b) {
        double[] x = a.toDoubleArray();
        double[] y = b.toDoubleArray();
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += x[i] * y[i];
        }
        return sum;
    }

    private static double magnitude(Tensor a, Tensor b) {
        double[] x = a.toDoubleArray();
        double[] y = b.toDoubleArray();
        double sum = 0;
        for (int i = 0; i < x.length; i++) {
            sum += Math.abs(x[i] * y[i]);
        }
        return sum;
    }

    /** Zeros on all sides. */
    private static Tensor pad(Tensor x, long padding) {
        Shape s = x.shape();
        Tensor padded =
                Direct.zeros(x.dtype(), IMAGES, s.size(0), s.size(1), s.size(2) + 2 * padding, s.size(3) + 2 * padding);
        for (int at = 0; at < s.elementCount(); at++) {
            long[] i = index(s, at);
            padded.set(x.get(i), i[0], i[1], i[2] + padding, i[3] + padding);
        }
        return padded;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c2_the_filter_is_not_flipped_and_stays_inside(DType dtype) {
        Tensor x = Direct.uniform(dtype, IMAGES, 1, 1, 1, 32, 32);
        assertEquals(
                Shape.of(1, 1, 30, 30),
                Direct.convolve(x, Direct.zeros(dtype, Layout.WEIGHT, 1, 1, 3, 3), null, window(3), 1)
                        .shape());
        for (int f : new int[] {1, 3, 5, 7}) {
            Tensor delta = Direct.zeros(dtype, Layout.WEIGHT, 1, 1, f, f);
            delta.set(1, 0, 0, f / 2, f / 2);
            assertArrayEquals(
                    x.toDoubleArray(),
                    Direct.convolve(x, delta, null, window(f).same(), 1).toDoubleArray());
            Tensor ones = Direct.zeros(dtype, Layout.WEIGHT, 1, 1, f, f);
            ones.fill(() -> 1);
            assertIsDefinition(Direct.convolve(x, ones, null, window(f), 1), x, ones, window(f), 0);
            Tensor last = Direct.zeros(dtype, Layout.WEIGHT, 1, 1, f, f);
            last.set(1, 0, 0, f - 1, f - 1);
            assertEquals(
                    x.get(0, 0, f - 1, f - 1),
                    Direct.convolve(x, last, null, window(f), 1).get(0, 0, 0, 0));
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c3_six_filters_of_75_terms_and_a_bias(DType dtype) {
        Tensor x = Direct.uniform(dtype, IMAGES, 1, 2, 3, 32, 32);
        Tensor w = Direct.uniform(dtype, Layout.WEIGHT, 2, 6, 3, 5, 5);
        Tensor bias = Direct.zeros(dtype, Layout.WEIGHT, 6);
        bias.fill(() -> 0.5);
        Tensor y = Direct.convolve(x, w, bias, window(5), 1);
        assertEquals(Shape.of(2, 6, 28, 28), y.shape());
        assertIsDefinition(y, x, w, window(5), 0.5);

        int[] order = {3, 0, 5, 1, 4, 2};
        Tensor permuted = Direct.zeros(dtype, Layout.WEIGHT, 6, 3, 5, 5);
        for (int at = 0; at < w.shape().elementCount(); at++) {
            long[] i = index(w.shape(), at);
            permuted.set(w.get(order[(int) i[0]], i[1], i[2], i[3]), i);
        }
        Tensor maps = Direct.convolve(x, permuted, bias, window(5), 1);
        for (int at = 0; at < y.shape().elementCount(); at++) {
            long[] i = index(y.shape(), at);
            assertEquals(y.get(i[0], order[(int) i[1]], i[2], i[3]), maps.get(i));
        }
    }

    /** Rounding of both sides of an adjoint identity: of the inner products' terms, each of which is a sum itself. */
    private static double adjointBound(Tensor x, Tensor w, Tensor g, Window window) {
        double[] sizes = sums(x, w, window, g.shape(), true);
        double[] outer = g.toDoubleArray();
        double terms = 0;
        for (int i = 0; i < outer.length; i++) {
            terms += sizes[i] * Math.abs(outer[i]);
        }
        return 2 * gamma(x.dtype(), g.shape().elementCount() + w.shape().elementCount()) * terms;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c4_the_gradient_of_the_input_is_a_full_convolution_with_rotated_filters(DType dtype) {
        for (Window window :
                new Window[] {window(5), window(5).padding(2), window(5).stride(2)}) {
            Tensor x = Direct.uniform(dtype, IMAGES, 1, 2, 3, 11, 11);
            Tensor w = Direct.uniform(dtype, Layout.WEIGHT, 2, 4, 3, 5, 5);
            Tensor y = Direct.convolve(x, w, null, window, 1);
            Tensor g = Direct.uniform(dtype, IMAGES, 3, y.shape().toArray());
            Tensor gradInput = Direct.gradInput(g, w, x.shape(), window);
            assertEquals(inner(y, g), inner(x, gradInput), adjointBound(x, w, g, window));

            // The identity itself: channels swap, filters turn, zeros go between and around.
            Tensor rotated = Direct.zeros(dtype, Layout.WEIGHT, 3, 4, 5, 5);
            for (int at = 0; at < w.shape().elementCount(); at++) {
                long[] i = index(w.shape(), at);
                rotated.set(w.get(i), i[1], i[0], 4 - i[2], 4 - i[3]);
            }
            Tensor spread =
                    pad(spread(g, window.rows().stride()), 4 - window.rows().before());
            assertIsDefinition(gradInput, spread, rotated, window(5), 0);

            // The convolution is linear, so that any step of a finite difference is exact but for rounding.
            double above = stepped(x, w, g, window, 1);
            double below = stepped(x, w, g, window, -1);
            assertEquals(gradInput.get(1, 2, 4, 5), (above - below) / 2, 2 * adjointBound(x, w, g, window));
        }
    }

    private static double stepped(Tensor x, Tensor w, Tensor g, Window window, double by) {
        Tensor moved = Direct.zeros(x.dtype(), IMAGES, x.shape().toArray());
        moved.copyFrom(x);
        moved.set(x.get(1, 2, 4, 5) + by, 1, 2, 4, 5);
        return inner(Direct.convolve(moved, w, null, window, 1), g);
    }

    /** Zeros between the pixels. */
    private static Tensor spread(Tensor g, long stride) {
        Shape s = g.shape();
        Tensor spread = Direct.zeros(
                g.dtype(), IMAGES, s.size(0), s.size(1), (s.size(2) - 1) * stride + 1, (s.size(3) - 1) * stride + 1);
        for (int at = 0; at < s.elementCount(); at++) {
            long[] i = index(s, at);
            spread.set(g.get(i), i[0], i[1], i[2] * stride, i[3] * stride);
        }
        return spread;
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c5_the_gradient_of_the_filters_is_a_correlation_summed_over_the_batch(DType dtype) {
        for (Window window :
                new Window[] {window(5), window(5).padding(2), window(5).stride(2)}) {
            Tensor x = Direct.uniform(dtype, IMAGES, 1, 3, 2, 11, 11);
            Tensor v = Direct.uniform(dtype, Layout.WEIGHT, 2, 4, 2, 5, 5);
            Tensor y = Direct.convolve(x, v, null, window, 1);
            Tensor g = Direct.uniform(dtype, IMAGES, 3, y.shape().toArray());
            Tensor gradWeight = Direct.gradWeight(x, g, v.shape(), window);
            assertEquals(inner(y, g), inner(v, gradWeight), adjointBound(x, v, g, window));

            double[] gradBias = Direct.gradBias(g).toDoubleArray();
            Tensor ones = Direct.zeros(dtype, IMAGES, g.shape().toArray());
            for (int k = 0; k < 4; k++) {
                int filter = k;
                int[] at = {0};
                ones.fill(() -> index(g.shape(), at[0]++)[1] == filter ? 1 : 0);
                double terms = g.shape().elementCount() / 4.0;
                assertEquals(inner(g, ones), gradBias[k], gamma(dtype, terms) * magnitude(g, ones));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c6_stride_two_takes_every_second_element(DType dtype) {
        Tensor x = Direct.uniform(dtype, IMAGES, 1, 1, 1, 7, 7);
        Tensor w = Direct.uniform(dtype, Layout.WEIGHT, 2, 1, 1, 3, 3);
        Tensor one = Direct.convolve(x, w, null, window(3), 1);
        Tensor two = Direct.convolve(x, w, null, window(3).stride(2), 1);
        assertEquals(Shape.of(1, 1, 5, 5), one.shape());
        assertEquals(Shape.of(1, 1, 3, 3), two.shape());
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++) {
                assertEquals(one.get(0, 0, 2 * i, 2 * j), two.get(0, 0, i, j));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c9_padding_is_zeros_to_the_bit(DType dtype) {
        Tensor x = Direct.uniform(dtype, IMAGES, 1, 2, 3, 12, 12);
        for (int f : new int[] {3, 5, 7}) {
            Tensor w = Direct.uniform(dtype, Layout.WEIGHT, 2, 4, 3, f, f);
            assertArrayEquals(
                    Direct.convolve(pad(x, f / 2), w, null, window(f), 1).toDoubleArray(),
                    Direct.convolve(x, w, null, window(f).same(), 1).toDoubleArray());
        }
    }

    /** What two images have in common at their upper left, in an image of that shape. */
    private static Tensor resized(Tensor x, Shape s) {
        Tensor y = Direct.zeros(x.dtype(), IMAGES, s.toArray());
        for (int at = 0; at < s.elementCount(); at++) {
            long[] i = index(s, at);
            if (i[2] < x.shape().size(2) && i[3] < x.shape().size(3)) {
                y.set(x.get(i), i);
            }
        }
        return y;
    }

    private static Tensor absolute(Tensor x) {
        Tensor y = Direct.zeros(x.dtype(), x.layout(), x.shape().toArray());
        for (int place = 0; place < y.shape().elementCount(); place++) {
            y.setAt(Math.abs(x.getAt(place)), place);
        }
        return y;
    }

    /** Sums of the same products in any order; {@code sizes}: of their sizes. */
    private static void assertSameSums(Tensor expected, Tensor got, Tensor sizes, double terms) {
        double[] want = expected.toDoubleArray();
        double[] have = got.toDoubleArray();
        double[] size = sizes.toDoubleArray();
        double gamma = gamma(got.dtype(), terms);
        for (int i = 0; i < have.length; i++) {
            assertEquals(want[i], have[i], 2 * gamma / (1 - gamma) * size[i]);
        }
    }

    /** TensorFlow's SAME at stride 2: zeros below and on the right alone. Of few and of many channels, in every direction. */
    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c9_padding_of_the_ends_alone_is_zeros_in_every_direction(DType dtype) {
        Window bare = window(3).stride(2);
        Window padded = bare.padding(0, 0, 1, 1);
        for (int[] channels : new int[][] {{1, 6}, {3, 5}, {3, 16}, {20, 33}}) {
            Tensor x = Direct.uniform(dtype, IMAGES, 1, 2, channels[0], 12, 34);
            Tensor larger = resized(x, Shape.of(2, channels[0], 13, 35));
            Tensor w = Direct.uniform(dtype, Layout.WEIGHT, 2, channels[1], channels[0], 3, 3);
            Tensor y = Direct.convolve(x, w, null, padded, 1);
            assertEquals(Shape.of(2, channels[1], 6, 17), y.shape());
            assertIsDefinition(y, x, w, padded, 0);
            assertArrayEquals(Direct.convolve(larger, w, null, bare, 1).toDoubleArray(), y.toDoubleArray());

            Tensor g = Direct.uniform(dtype, IMAGES, 3, y.shape().toArray());
            assertSameSums(
                    resized(Direct.gradInput(g, w, larger.shape(), bare), x.shape()),
                    Direct.gradInput(g, w, x.shape(), padded),
                    Direct.gradInput(absolute(g), absolute(w), x.shape(), padded),
                    4 * channels[1]);
            assertSameSums(
                    Direct.gradWeight(larger, g, w.shape(), bare),
                    Direct.gradWeight(x, g, w.shape(), padded),
                    Direct.gradWeight(absolute(x), absolute(g), w.shape(), padded),
                    2 * 6 * 17);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c12_groups_are_small_convolutions_side_by_side(DType dtype) {
        int groups = 3;
        Tensor x = Direct.uniform(dtype, IMAGES, 1, 2, 6, 9, 9);
        Tensor w = Direct.uniform(dtype, Layout.WEIGHT, 2, 12, 2, 5, 5);
        Window window = window(5).padding(2);
        Tensor y = Direct.convolve(x, w, null, window, groups);
        for (int group = 0; group < groups; group++) {
            Tensor part = Direct.zeros(dtype, IMAGES, 2, 2, 9, 9);
            for (int at = 0; at < part.shape().elementCount(); at++) {
                long[] i = index(part.shape(), at);
                part.set(x.get(i[0], 2 * group + i[1], i[2], i[3]), i);
            }
            Tensor filters = Direct.zeros(dtype, Layout.WEIGHT, 4, 2, 5, 5);
            for (int at = 0; at < filters.shape().elementCount(); at++) {
                long[] i = index(filters.shape(), at);
                filters.set(w.get(4 * group + i[0], i[1], i[2], i[3]), i);
            }
            Tensor maps = Direct.zeros(dtype, IMAGES, 2, 4, 9, 9);
            for (int at = 0; at < maps.shape().elementCount(); at++) {
                long[] i = index(maps.shape(), at);
                maps.set(y.get(i[0], 4 * group + i[1], i[2], i[3]), i);
            }
            assertIsDefinition(maps, part, filters, window, 0);
            assertIsDefinition(Direct.convolve(part, filters, null, window, 1), part, filters, window, 0);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void c13_a_1x1_convolution_is_a_linear_layer_for_each_pixel_and_copies_none(DType dtype) {
        Tensor x = Direct.uniform(dtype, IMAGES, 1, 2, 64, 7, 7);
        Tensor w = Direct.uniform(dtype, Layout.WEIGHT, 2, 32, 64, 1, 1);
        Tensor y = Direct.convolve(x, w, null, window(1), 1);
        assertIsDefinition(y, x, w, window(1), 0);
        Tensor pixels = Tensor.view(x.data(), dtype, Shape.of(2 * 7 * 7, 64, 1, 1), IMAGES);
        Tensor rows = Direct.convolve(pixels, w, null, window(1), 1);
        Tensor linear = Tensor.view(rows.data(), dtype, y.shape(), IMAGES);
        assertIsDefinition(linear, x, w, window(1), 0);
        // Nothing of the image is gathered: scratch has room for where each pixel's result goes, and not for a pixel.
        var planned = Direct.run(
                Direct.sized("conv2d_forward", x, y, window(1), 1)
                        .set("input", x)
                        .set("weight", w)
                        .set("output", y),
                2);
        assertTrue(planned.scratchBytes() <= 2 * 7 * 7 * Long.BYTES, planned.name() + " " + planned.scratchBytes());
    }
}
