package dev.tarn.ffm.kernels;

/** A native function reported failure. */
public final class NativeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    private final String function;
    private final Status status;

    public NativeException(String function, Status status) {
        super(function + " failed: " + status.meaning() + " (" + status + ")");
        this.function = function;
        this.status = status;
    }

    public String function() {
        return function;
    }

    public Status status() {
        return status;
    }
}
