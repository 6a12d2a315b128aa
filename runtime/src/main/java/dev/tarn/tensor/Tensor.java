package dev.tarn.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.DoubleSupplier;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A view of off-heap memory as numbers of one type in some shape. It owns nothing and is never closed: the memory belongs to a
 * model, a session or a data loader, and reading it after its owner closed throws {@link IllegalStateException}.
 *
 * <p>Indices and arrays are in logical order whatever the {@link Layout}.
 */
public final class Tensor {
    private final MemorySegment data;
    private final DType dtype;
    private final Shape shape;
    private final Layout layout;
    private final long[] strides;
    private final @Nullable Expiry expiry;

    /** A view is good for the run in which it was made. */
    private record Expiry(String what, LongSupplier currentRun, long run) {
        void check() {
            long now = currentRun.getAsLong();
            if (now != run) {
                throw new IllegalStateException(
                        "%s belongs to run %d and was read in run %d; copy what is to be kept with toArray()"
                                .formatted(what, run, now));
            }
        }
    }

    private Tensor(MemorySegment data, DType dtype, Shape shape, Layout layout, @Nullable Expiry expiry) {
        this.data = data;
        this.dtype = dtype;
        this.shape = shape;
        this.layout = layout;
        this.strides = layout.strides(shape);
        this.expiry = expiry;
    }

    /**
     * A view of exactly the bytes that the shape takes.
     *
     * @throws ShapeException if {@code data} has another size
     */
    public static Tensor view(MemorySegment data, DType dtype, Shape shape, Layout layout) {
        long bytes = Math.multiplyExact(shape.elementCount(), dtype.byteSize());
        if (data.byteSize() != bytes) {
            throw new ShapeException(
                    "tensor",
                    bytes + " bytes",
                    data.byteSize() + " bytes",
                    "the memory of a " + dtype + " tensor of shape " + shape + " has exactly its size");
        }
        return new Tensor(data, dtype, shape, layout, null);
    }

    /** A new row-major F32 tensor in memory that the garbage collector frees: for inputs made by hand. */
    public static Tensor of(Shape shape, float... values) {
        MemorySegment data = Arena.ofAuto().allocate(Math.max(1, shape.elementCount() * 4), 64);
        Tensor tensor = view(data.asSlice(0, shape.elementCount() * 4), DType.F32, shape, Layout.ROW_MAJOR);
        tensor.copyFrom(values);
        return tensor;
    }

    /**
     * The same view, which throws {@link IllegalStateException} when it is read after {@code currentRun} has moved on.
     *
     * @param what its name in the error
     */
    public Tensor expiring(String what, LongSupplier currentRun) {
        return new Tensor(data, dtype, shape, layout, new Expiry(what, currentRun, currentRun.getAsLong()));
    }

    /** The memory itself, in the order of {@link #layout()}. */
    public MemorySegment data() {
        if (expiry != null) {
            expiry.check();
        }
        return data;
    }

    public DType dtype() {
        return dtype;
    }

    public Shape shape() {
        return shape;
    }

    public Layout layout() {
        return layout;
    }

    public long byteSize() {
        return data.byteSize();
    }

    /** The element at a logical index, one number for each dimension. */
    public double get(long... index) {
        return dtype.get(data(), offset(index));
    }

    /** Sets the element at a logical index. */
    public void set(double value, long... index) {
        dtype.set(data(), offset(index), value);
    }

    /** The element at a place in the order of memory, from 0: for loops to which all elements are alike. */
    public double getAt(long place) {
        return dtype.get(data(), place);
    }

    /** Sets the element at a place in the order of memory. */
    public void setAt(double value, long place) {
        dtype.set(data(), place, value);
    }

    /** All elements in logical order. */
    public float[] toArray() {
        float[] out = new float[arrayLength()];
        MemorySegment memory = data();
        if (isContiguous() && dtype == DType.F32) {
            MemorySegment.copy(memory, ValueLayout.JAVA_FLOAT_UNALIGNED, 0, out, 0, out.length);
        } else {
            forEachOffset((i, offset) -> out[(int) i] = (float) dtype.get(memory, offset));
        }
        return out;
    }

    /** All elements in logical order, without rounding to float. */
    public double[] toDoubleArray() {
        double[] out = new double[arrayLength()];
        forEachOffset((i, offset) -> out[(int) i] = dtype.get(data(), offset));
        return out;
    }

    /** Overwrites all elements with values in logical order. */
    public void copyFrom(float... values) {
        requireCount(values.length);
        if (isContiguous() && dtype == DType.F32) {
            MemorySegment.copy(values, 0, data(), ValueLayout.JAVA_FLOAT_UNALIGNED, 0, values.length);
        } else {
            forEachOffset((i, offset) -> dtype.set(data(), offset, values[(int) i]));
        }
    }

    /** Overwrites all elements with values in logical order. */
    public void copyFrom(double... values) {
        requireCount(values.length);
        forEachOffset((i, offset) -> dtype.set(data(), offset, values[(int) i]));
    }

    /** Overwrites all elements in logical order with what the supplier gives, without a copy on the heap. */
    public void fill(DoubleSupplier values) {
        forEachOffset((i, offset) -> dtype.set(data(), offset, values.getAsDouble()));
    }

    /** Overwrites all elements with those of a tensor of the same shape, whatever its type and layout. */
    public void copyFrom(Tensor source) {
        if (!source.shape.equals(shape)) {
            throw new ShapeException("tensor", shape.toString(), source.shape.toString(), "a copy keeps the shape");
        }
        if (source.dtype == dtype && liesInOrderOf(source.strides)) {
            data().copyFrom(source.data());
        } else if (shape.elementCount() > 0) {
            copyLines(source);
        }
    }

    /** Copies along the longest dimension, so that finding the next line costs little. */
    private void copyLines(Tensor source) {
        MemorySegment from = source.data();
        MemorySegment to = data();
        boolean floats = dtype == DType.F32 && source.dtype == DType.F32;
        int along = longestDimension();
        long count = along < 0 ? 1 : shape.size(along);
        long step = along < 0 ? 0 : strides[along];
        long sourceStep = along < 0 ? 0 : source.strides[along];
        long[] index = new long[shape.rank()];
        for (long line = shape.elementCount() / count; line > 0; line--) {
            long place = place(index, strides);
            long sourcePlace = place(index, source.strides);
            for (long i = 0; i < count; i++, place += step, sourcePlace += sourceStep) {
                if (floats) {
                    float value = from.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, sourcePlace);
                    to.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, place, value);
                } else {
                    dtype.set(to, place, source.dtype.get(from, sourcePlace));
                }
            }
            nextLine(index, along);
        }
    }

    private int longestDimension() {
        int longest = -1;
        for (int d = 0; d < shape.rank(); d++) {
            longest = longest < 0 || shape.size(d) >= shape.size(longest) ? d : longest;
        }
        return longest;
    }

    private static long place(long[] index, long[] strides) {
        long place = 0;
        for (int d = 0; d < index.length; d++) {
            place += index[d] * strides[d];
        }
        return place;
    }

    /** Counts up an index in logical order, without the dimension that a line runs along. */
    private void nextLine(long[] index, int along) {
        for (int d = index.length - 1; d >= 0; d--) {
            if (d != along) {
                if (++index[d] < shape.size(d)) {
                    return;
                }
                index[d] = 0;
            }
        }
    }

    /** A view of the first {@code n} examples; the batch is the slowest dimension of images and rows. */
    public Tensor prefix(long n) {
        return n == shape.size(0) ? this : slice(0, n);
    }

    /** Entries {@code first} to {@code first + n}, exclusive, along the first axis: a view. */
    public Tensor slice(long first, long n) {
        long entry = shape.withBatch(1).elementCount() * dtype.byteSize();
        return new Tensor(data().asSlice(first * entry, n * entry), dtype, shape.withBatch(n), layout, expiry);
    }

    /** Receives each element's position in logical order and its place in memory, both in elements. */
    @FunctionalInterface
    interface OffsetConsumer {
        void accept(long i, long offset);
    }

    private void forEachOffset(OffsetConsumer consumer) {
        long[] index = new long[shape.rank()];
        long offset = 0;
        for (long i = 0; i < shape.elementCount(); i++) {
            consumer.accept(i, offset);
            for (int d = shape.rank() - 1; d >= 0; d--) {
                offset += strides[d];
                if (++index[d] < shape.size(d)) {
                    break;
                }
                offset -= strides[d] * index[d];
                index[d] = 0;
            }
        }
    }

    private long offset(long... index) {
        if (index.length != shape.rank()) {
            throw new IndexOutOfBoundsException(
                    "shape %s takes %d indices, not %d".formatted(shape, shape.rank(), index.length));
        }
        for (int d = 0; d < index.length; d++) {
            if (index[d] < 0 || index[d] >= shape.size(d)) {
                throw new IndexOutOfBoundsException("index %s in shape %s".formatted(Arrays.toString(index), shape));
            }
        }
        return place(index, strides);
    }

    private boolean isContiguous() {
        return liesInOrderOf(Layout.ROW_MAJOR.strides(shape));
    }

    /** Whether elements lie in memory as with other strides; a dimension of one element has no stride to speak of. */
    private boolean liesInOrderOf(long[] others) {
        for (int d = 0; d < strides.length; d++) {
            if (shape.size(d) > 1 && strides[d] != others[d]) {
                return false;
            }
        }
        return true;
    }

    private int arrayLength() {
        return Math.toIntExact(shape.elementCount());
    }

    private void requireCount(long count) {
        if (count != shape.elementCount()) {
            throw new ShapeException(
                    "tensor",
                    shape.elementCount() + " values",
                    count + " values",
                    "shape " + shape + " is filled whole");
        }
    }

    /** {@code F32 (64, 10)} */
    @Override
    public String toString() {
        return dtype + " " + shape;
    }
}
