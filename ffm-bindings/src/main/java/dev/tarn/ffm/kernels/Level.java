package dev.tarn.ffm.kernels;

/** What a kernel needs of the processor: {@code enum tarn_level}. Each level includes those before it that its family has. */
public enum Level {
    /** Portable C, the definition of every operation. */
    REF,
    /** Portable C around OpenBLAS. */
    BLAS,
    /** AVX2 and FMA. */
    AVX2,
    /** AVX-512 F, BW, DQ and VL. */
    AVX512,
    /** AVX-512 BF16: dot products of pairs. */
    AVX512_BF16,
    /** AMX: products of BF16 tiles. */
    AMX,
    /** Advanced SIMD of 64-bit Arm, which comes after {@link #BLAS}. */
    NEON;

    private static final Level[] ALL = values();

    static Level of(long code) {
        return ALL[Math.toIntExact(code)];
    }
}
