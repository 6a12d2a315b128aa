package dev.tarn.data;

/** Data that cannot be used; the message says what is wrong, where, and what would mend it. */
public final class DataException extends RuntimeException {
    private static final long serialVersionUID = 1;

    public DataException(String message) {
        super(message);
    }

    public DataException(String message, Throwable cause) {
        super(message, cause);
    }
}
