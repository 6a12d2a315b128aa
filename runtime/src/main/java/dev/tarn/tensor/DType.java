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
    /** The upper half of an F32: eight bits of precision in the range of F32. For activations of inference. */
    BF16(2),
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
            case BF16 -> Float.intBitsToFloat(data.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, index) << Short.SIZE);
            case U8 -> data.get(ValueLayout.JAVA_BYTE, index) & 0xFF;
            case I32 -> data.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index);
            case I64 -> data.getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, index);
        };
    }

    /** Writes element {@code index} of {@code data}; integer types truncate, F32 and BF16 round to nearest even. */
    public void set(MemorySegment data, long index, double value) {
        switch (this) {
            case F32 -> data.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, index, (float) value);
            case F64 -> data.setAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, index, value);
            case BF16 -> data.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, index, upperHalf((float) value));
            case U8 -> data.set(ValueLayout.JAVA_BYTE, index, (byte) value);
            case I32 -> data.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, index, (int) value);
            case I64 -> data.setAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, index, (long) value);
        }
    }

    /** Rounds to nearest even; a NaN stays one. */
    private static short upperHalf(float value) {
        int bits = Float.floatToRawIntBits(value);
        int odd = bits >>> Short.SIZE & 1;
        return (short) (Float.isNaN(value) ? bits >>> Short.SIZE | 0x40 : bits + 0x7FFF + odd >>> Short.SIZE);
    }
}
