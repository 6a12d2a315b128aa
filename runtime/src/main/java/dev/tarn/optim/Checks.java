package dev.tarn.optim;

/** What settings must be. */
final class Checks {
    private Checks() {}

    static void share(String what, double value) {
        if (!(value >= 0 && value < 1)) {
            throw new IllegalArgumentException("%s is in [0, 1), not %s".formatted(what, value));
        }
    }

    static void notNegative(String what, double value) {
        if (!(value >= 0 && Double.isFinite(value))) {
            throw new IllegalArgumentException("%s is finite and not negative, not %s".formatted(what, value));
        }
    }

    static void positive(String what, double value) {
        if (!(value > 0)) {
            throw new IllegalArgumentException("%s is positive, not %s".formatted(what, value));
        }
    }
}
