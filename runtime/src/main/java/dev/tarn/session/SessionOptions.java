package dev.tarn.session;

import java.util.Set;

/**
 * How a session runs. Immutable; each setter returns other options.
 *
 * @param threads threads that compute, the caller included
 * @param memoryBudget most bytes that the session's plan may take
 * @param disabledRewrites names of graph rewrites to leave out, such as {@code fuse-activation}
 */
public record SessionOptions(int threads, long memoryBudget, Set<String> disabledRewrites) {
    /** As many threads as processors, memory without limit, all rewrites. */
    public static final SessionOptions DEFAULT =
            new SessionOptions(Runtime.getRuntime().availableProcessors(), Long.MAX_VALUE, Set.of());

    public SessionOptions {
        if (threads < 1 || memoryBudget < 0) {
            throw new IllegalArgumentException(
                    "a session has at least one thread and no negative budget, not %d threads and %d bytes"
                            .formatted(threads, memoryBudget));
        }
        disabledRewrites = Set.copyOf(disabledRewrites);
    }

    public SessionOptions withThreads(int count) {
        return new SessionOptions(count, memoryBudget, disabledRewrites);
    }

    public SessionOptions withMemoryBudget(long bytes) {
        return new SessionOptions(threads, bytes, disabledRewrites);
    }

    public SessionOptions withoutRewrites(String... names) {
        return new SessionOptions(threads, memoryBudget, Set.of(names));
    }
}
