package dev.tarn.ffm.load;

import org.jspecify.annotations.Nullable;

/** A native library is missing, cannot be opened or does not fit this version; the message says what to do. */
public final class NativeLoadException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public NativeLoadException(String message) {
        this(message, null);
    }

    public NativeLoadException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
