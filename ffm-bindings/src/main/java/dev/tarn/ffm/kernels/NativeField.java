package dev.tarn.ffm.kernels;

/**
 * A field of an argument struct; every field takes eight bytes.
 *
 * @param offset bytes from the start of the struct
 */
public record NativeField(String name, long offset, Kind kind) {

    /** How the eight bytes are read: {@code enum tarn_kind}. */
    public enum Kind {
        INT64,
        DOUBLE,
        POINTER;

        private static final Kind[] ALL = values();

        static Kind of(long code) {
            return ALL[Math.toIntExact(code)];
        }
    }
}
