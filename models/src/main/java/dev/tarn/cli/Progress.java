package dev.tarn.cli;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * Shows how far some work is: on a terminal as one line that is drawn again a few times a second, elsewhere not at all, since results
 * come as lines of their own. Between two drawings a call costs one look at the clock and allocates nothing.
 */
final class Progress {
    /** How progress is shown. */
    enum Style {
        BAR,
        LINES
    }

    private static final long INTERVAL = 100_000_000; // nanoseconds: more is flicker
    private static final int WIDTH = 12;
    private static final String CLEAR = "\r\u001b[K";

    private final PrintStream err;
    private final Style style;
    private Supplier<String> note = () -> "";
    private String title = "";
    private long total = 1;
    private long first; // done at the first update, from whose time on the rest is estimated
    private long started;
    private long drawn;

    Progress(PrintStream err, Style style) {
        this.err = err;
        this.style = style;
    }

    /** Says something more whenever the line is drawn. */
    void noting(Supplier<String> more) {
        note = more;
    }

    /** Begins some work of so many steps. */
    void start(String work, long steps) {
        title = work;
        total = Math.max(1, steps);
        first = -1;
        drawn = System.nanoTime();
    }

    /** So many steps are done; {@code value} is a number to watch, NaN for none. */
    void update(long done, double value) {
        long now = System.nanoTime();
        if (first < 0) {
            first = done;
            started = now;
        } else if (style == Style.BAR && now - drawn >= INTERVAL) {
            drawn = now;
            int filled = (int) (WIDTH * Math.min(done, total) / total);
            double left = (now - started) / 1e9 * (total - done) / (done - first);
            err.printf(
                    Locale.ROOT,
                    "%s%s [%s%s] %d/%d%s, %.0f s left%s",
                    CLEAR,
                    title,
                    "=".repeat(filled),
                    " ".repeat(WIDTH - filled),
                    done,
                    total,
                    Double.isNaN(value) ? "" : String.format(Locale.ROOT, ", loss %.4f", value),
                    left,
                    note.get());
            err.flush();
        }
    }

    /** Takes the bar away, before a line is printed. */
    void clear() {
        if (style == Style.BAR) {
            err.print(CLEAR);
            err.flush();
        }
    }
}
