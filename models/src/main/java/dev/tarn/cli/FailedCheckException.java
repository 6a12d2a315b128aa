package dev.tarn.cli;

/** A check did its work and found something wrong; the message says what. */
final class FailedCheckException extends RuntimeException {
    private static final long serialVersionUID = 1;

    FailedCheckException(String message) {
        super(message);
    }
}
