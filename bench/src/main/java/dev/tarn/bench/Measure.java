package dev.tarn.bench;

/** What of a process is compared. */
public enum Measure {
    /** Images per second; more is better. */
    RATE("images/s"),
    /** Resident memory of training steps above that of the loaded library, in MiB; less is better. */
    MEMORY("MiB"),
    /** Images per second, with all threads against one; more is better. */
    THREADS("images/s"),
    /** Milliseconds from the start of a process to its first result; less is better. */
    START("ms");

    private final String unit;

    Measure(String unit) {
        this.unit = unit;
    }

    public String unit() {
        return unit;
    }

    public boolean lessIsBetter() {
        return this == MEMORY || this == START;
    }

    /** The value that a finished process stands for. */
    double of(Run run) {
        return switch (this) {
            case RATE, THREADS -> Spread.of(run.rates()).median();
            case MEMORY -> run.residentBytes() / 0x1p20;
            case START -> run.startMillis();
        };
    }

    /** Whether one value is better than another. */
    boolean isBetter(double value, double than) {
        return lessIsBetter() ? value < than : value > than;
    }
}
