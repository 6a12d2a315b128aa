package dev.tarn.ffm.kernels;

/** The number type that a kernel computes in: {@code enum tarn_dtype}. */
public enum NativeType {
    F32,
    F64;

    private static final NativeType[] ALL = values();

    static NativeType of(long code) {
        return ALL[Math.toIntExact(code)];
    }
}
