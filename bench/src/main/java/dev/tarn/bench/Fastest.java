package dev.tarn.bench;

import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * The fastest of several forms of one job in a library: each is run a while, and the one with the quickest run stays.
 *
 * @param name what it is called
 * @param best the form itself
 */
public record Fastest<T>(String name, T best) {
    private static final int WARM_UP = 3;
    private static final int LEAST_RUNS = 3;
    private static final long NANOS = 300_000_000;

    /** Tries every form. */
    public static <T> Fastest<T> of(Map<String, T> forms, Consumer<T> run) {
        Fastest<T> fastest = null;
        long least = Long.MAX_VALUE;
        for (Map.Entry<String, T> form : forms.entrySet()) {
            long nanos = quickest(form.getValue(), run);
            if (nanos < least) {
                least = nanos;
                fastest = new Fastest<>(form.getKey(), form.getValue());
            }
        }
        return Objects.requireNonNull(fastest, "there is no form to choose from");
    }

    private static <T> long quickest(T form, Consumer<T> run) {
        for (int i = 0; i < WARM_UP; i++) {
            run.accept(form);
        }
        long least = Long.MAX_VALUE;
        long start = System.nanoTime();
        for (int i = 0; i < LEAST_RUNS || System.nanoTime() - start < NANOS; i++) {
            long before = System.nanoTime();
            run.accept(form);
            least = Math.min(least, System.nanoTime() - before);
        }
        return least;
    }
}
