package dev.tarn.bench.kernels;

import dev.tarn.bench.Direction;
import dev.tarn.bench.LayerShape;
import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.ffm.blas.OpenBlas.Transpose;
import dev.tarn.memory.OwnedMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * The matrix product that a convolution of one image comes down to, by OpenBLAS alone: each thread of JMH multiplies
 * matrices of its own. Rearranging images into matrices is not included, so a convolution by way of OpenBLAS cannot
 * be faster than this.
 */
@State(Scope.Thread)
@SuppressWarnings("NullAway.Init") // JMH fills the fields
public class SgemmBench {
    @Param({})
    public String list;

    @Param({})
    public String layer;

    @Param({})
    public Direction direction;

    private OwnedMemory memory;
    private OpenBlas openBlas;
    private int pixels;
    private int window;
    private int oc;
    private MemorySegment rows; // pixels x window
    private MemorySegment weight; // window x oc
    private MemorySegment output; // pixels x oc

    @Setup
    public void open() {
        openBlas = OpenBlas.get().orElseThrow(() -> new IllegalStateException(OpenBlas.absence()));
        memory = OwnedMemory.open("sgemm benchmark");
        LayerShape sizes = LayerShape.find(list, layer);
        pixels = Math.toIntExact(sizes.outputSize() * sizes.outputSize());
        window = Math.toIntExact(sizes.weight().elementCount() / sizes.oc());
        oc = Math.toIntExact(sizes.oc());
        rows = matrix(pixels, window);
        weight = matrix(window, oc);
        output = matrix(pixels, oc);
    }

    private MemorySegment matrix(long height, long width) {
        MemorySegment matrix = memory.allocate(height * width * Float.BYTES);
        for (long i = 0; i < height * width; i++) {
            matrix.setAtIndex(ValueLayout.JAVA_FLOAT, i, 1f / (1 + i % 7));
        }
        return matrix;
    }

    @Benchmark
    public void run() {
        switch (direction) {
            case FORWARD -> multiply(Transpose.NO, Transpose.NO, pixels, oc, window, rows, weight, output);
            case BACKWARD_DATA -> multiply(Transpose.NO, Transpose.YES, pixels, window, oc, output, weight, rows);
            case BACKWARD_WEIGHT -> multiply(Transpose.YES, Transpose.NO, window, oc, pixels, rows, output, weight);
        }
    }

    private void multiply(
            Transpose transposeA,
            Transpose transposeB,
            int m,
            int n,
            int k,
            MemorySegment a,
            MemorySegment b,
            MemorySegment c) {
        openBlas.sgemm(transposeA, transposeB, m, n, k, 1, a, b, 0, c);
    }

    @TearDown
    public void close() {
        memory.close();
    }
}
