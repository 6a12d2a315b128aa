package dev.tarn.ffm.kernels;

/** What planning or running a kernel came to: {@code enum tarn_status} of the native header. */
public enum Status {
    OK("it succeeded"),
    DECLINED("this variant does not take these arguments"),
    BAD_ARGUMENT("sizes or pointers make no sense"),
    BAD_LABEL("a class label is outside [0, classes)"),
    BLAS_FAILED("OpenBLAS is needed and was not given");

    private static final Status[] ALL = values();
    private final String meaning;

    Status(String meaning) {
        this.meaning = meaning;
    }

    /** What it means, as part of a sentence. */
    public String meaning() {
        return meaning;
    }

    /**
     * The status of a code that a kernel returned.
     *
     * @throws IllegalArgumentException if the native library has no such code
     */
    public static Status of(int code) {
        if (code < 0 || code >= ALL.length) {
            throw new IllegalArgumentException("The native library returned the unknown status " + code);
        }
        return ALL[code];
    }

    /**
     * Does nothing if a call succeeded.
     *
     * @param function what was called, for the message
     * @throws NativeException if the code is another than {@link #OK}
     */
    public static void check(String function, int code) {
        if (code != 0) {
            throw new NativeException(function, of(code));
        }
    }
}
