package dev.tarn.tensor;

/** Shapes that do not go together; thrown while a network is traced, before any memory exists. */
public final class ShapeException extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    private final String path;
    private final String expected;
    private final String actual;

    /**
     * @param path which layer or tensor, by its path in the model
     * @param rule what must hold and, where known, what would mend it
     */
    public ShapeException(String path, String expected, String actual, String rule) {
        super("%s: expected %s, got %s: %s".formatted(path, expected, actual, rule));
        this.path = path;
        this.expected = expected;
        this.actual = actual;
    }

    public String path() {
        return path;
    }

    public String expected() {
        return expected;
    }

    public String actual() {
        return actual;
    }
}
