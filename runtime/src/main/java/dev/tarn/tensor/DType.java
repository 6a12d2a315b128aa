package dev.tarn.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Number types of tensors. Reading and writing one element is for set-up and tests; kernels do the rest. No alignment is asked
 * for: a mapped file may put its numbers at any byte.
 */
public enum DType {
    F32(4),
    F64(8),
    U8(1),
    I32(4),
    I64(8);

    private final long byteSize;

    DType(long byteSize) {
        this.byteSize = byteSize;
    }

    /** Bytes of one element. */
    public long byteSize() {
        return byteSize;
    }

    /** Reads element {@code index} of {@code data}, counted in elements. */
    public double get(MemorySegment data, long index) {
        return switch (this) {
            case F32 -> data.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, index);
            case F64 -> data.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, index);
            case U8 -> data.get(ValueLayout.JAVA_BYTE, index) & 0xFF;
            case I32 -> data.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index);
            case I64 -> data.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, index);
        };
    }

    /** Writes element {@code index} of {@code data}; integer types truncate. */
    public void set(MemorySegment data, long index, double value) {
        switch (this) {
            case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, index, (float) value);
            case F64 -> data.setAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, index, value);
            case U8 -> data.set(ValueLayout.JAVA_BYTE, index, (byte) value);
            case I32 -> data.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index, (int) value);
            case I64 -> data.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, index, (long) value);
        }
    }
}
