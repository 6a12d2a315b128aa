package dev.tarn.bench.kernels;

import dev.tarn.bench.Direction;
import dev.tarn.bench.LayerData;
import dev.tarn.bench.LayerShape;
import dev.tarn.ffm.kernels.Level;
import dev.tarn.tensor.Layout;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A convolution's forward pass on one image in plain Java, over arrays and over off-heap memory; channels last. */
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH fills the fields
public class JavaBench {
    @Param({})
    public String list;

    @Param({})
    public String layer;

    private LayerShape shape;
    private float[] input; // (H, W, C)
    private float[] weight; // (K, K, C, O)
    private float[] output; // (OH, OW, O)
    private Arena arena;
    private MemorySegment inputSegment;
    private MemorySegment weightSegment;
    private MemorySegment outputSegment;

    @Setup
    public void open() {
        shape = LayerShape.find(list, layer).withImages(1);
        LayerData data = new LayerData(shape);
        input = ordered(data.input(), shape.input(), Layout.CHANNELS_LAST);
        weight = ordered(data.weight(), shape.weight(), Layout.WEIGHT);
        output = new float[Math.toIntExact(shape.output().elementCount())];
        arena = Arena.ofConfined();
        inputSegment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, input);
        weightSegment = arena.allocateFrom(ValueLayout.JAVA_FLOAT, weight);
        outputSegment = arena.allocate(ValueLayout.JAVA_FLOAT, output.length);
        try (var reference = new LayerCase(shape, Direction.FORWARD, Level.REF, 1)) {
            float[] expected = ordered(reference.result(), shape.output(), Layout.CHANNELS_LAST);
            arrays();
            Results.requireEqual(expected, output, "Java over arrays");
            segments();
            Results.requireEqual(expected, outputSegment.toArray(ValueLayout.JAVA_FLOAT), "Java over segments");
        }
    }

    private static float[] ordered(float[] logical, dev.tarn.tensor.Shape of, Layout layout) {
        long[] strides = layout.strides(of);
        float[] ordered = new float[logical.length];
        long[] index = new long[of.rank()];
        for (float value : logical) {
            long at = 0;
            for (int d = 0; d < index.length; d++) {
                at += index[d] * strides[d];
            }
            ordered[(int) at] = value;
            for (int d = index.length - 1; d >= 0 && ++index[d] == of.size(d); d--) {
                index[d] = 0;
            }
        }
        return ordered;
    }

    /** The innermost loop runs over output channels, which the compiler vectorises. */
    @Benchmark
    public void arrays() {
        int oc = (int) shape.oc();
        int ic = (int) shape.ic();
        for (int y = 0; y < shape.outputSize(); y++) {
            for (int x = 0; x < shape.outputSize(); x++) {
                int out = (int) (y * shape.outputSize() + x) * oc;
                java.util.Arrays.fill(output, out, out + oc, 0);
                for (int tap = 0; tap < shape.kernel() * shape.kernel(); tap++) {
                    long pixel = pixel(y, x, tap);
                    for (int c = 0; pixel >= 0 && c < ic; c++) {
                        float value = input[(int) pixel * ic + c];
                        int row = (tap * ic + c) * oc;
                        for (int o = 0; o < oc; o++) {
                            output[out + o] += value * weight[row + o];
                        }
                    }
                }
            }
        }
    }

    @Benchmark
    public void segments() {
        long oc = shape.oc();
        long ic = shape.ic();
        for (int y = 0; y < shape.outputSize(); y++) {
            for (int x = 0; x < shape.outputSize(); x++) {
                long out = (y * shape.outputSize() + x) * oc;
                outputSegment.asSlice(out * Float.BYTES, oc * Float.BYTES).fill((byte) 0);
                for (int tap = 0; tap < shape.kernel() * shape.kernel(); tap++) {
                    long pixel = pixel(y, x, tap);
                    for (long c = 0; pixel >= 0 && c < ic; c++) {
                        float value = inputSegment.getAtIndex(ValueLayout.JAVA_FLOAT, pixel * ic + c);
                        long row = (tap * ic + c) * oc;
                        for (long o = 0; o < oc; o++) {
                            float sum = outputSegment.getAtIndex(ValueLayout.JAVA_FLOAT, out + o)
                                    + value * weightSegment.getAtIndex(ValueLayout.JAVA_FLOAT, row + o);
                            outputSegment.setAtIndex(ValueLayout.JAVA_FLOAT, out + o, sum);
                        }
                    }
                }
            }
        }
    }

    /** The input pixel under a tap of the window; -1 in the padding. */
    private long pixel(int y, int x, int tap) {
        long iy = y * shape.stride() + tap / shape.kernel() - shape.padding();
        long ix = x * shape.stride() + tap % shape.kernel() - shape.padding();
        return iy < 0 || ix < 0 || iy >= shape.size() || ix >= shape.size() ? -1 : iy * shape.size() + ix;
    }

    @TearDown
    public void close() {
        arena.close();
    }
}
