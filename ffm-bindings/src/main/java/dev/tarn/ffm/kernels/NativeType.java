package dev.tarn.ffm.kernels;

/** The number type of a kernel's activations: {@code enum tarn_dtype}. Kernels of BF16 read parameters in F32. */
public enum NativeType {
    F32,
    F64,
    BF16;

    private static final NativeType[] ALL = values();

    static NativeType of(long code) {
        return ALL[Math.toIntExact(code)];
    }
}
