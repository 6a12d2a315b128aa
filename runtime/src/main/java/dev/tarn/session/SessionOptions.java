package dev.tarn.session;

import dev.tarn.tensor.DType;
import java.util.Set;

/**
 * How a session runs. Immutable; each setter returns other options.
 *
 * @param threads threads that compute, the caller included
 * @param memoryBudget most bytes that the session's plan may take
 * @param disabledRewrites names of graph rewrites to leave out, such as {@code fuse-activation}
 * @param precision type of activations: F32 for the model's own, or BF16 in inference, where weights are rounded to BF16 too
 *     and sums stay F32. Inputs, outputs and the model's parameters stay what they are.
 */
public record SessionOptions(int threads, long memoryBudget, Set<String> disabledRewrites, DType precision) {
    /** As many threads as processors, memory without limit, all rewrites. */
    public static final SessionOptions DEFAULT =
            new SessionOptions(Runtime.getRuntime().availableProcessors(), Long.MAX_VALUE, Set.of(), DType.F32);

    public SessionOptions {
        if (threads < 1 || memoryBudget < 0) {
            throw new IllegalArgumentException(
                    "a session has at least one thread and no negative budget, not %d threads and %d bytes"
                            .formatted(threads, memoryBudget));
        }
        if (precision != DType.F32 && precision != DType.BF16) {
            throw new IllegalArgumentException("the precision of a session is F32 or BF16, not " + precision);
        }
        disabledRewrites = Set.copyOf(disabledRewrites);
    }

    public SessionOptions withThreads(int count) {
        return new SessionOptions(count, memoryBudget, disabledRewrites, precision);
    }

    public SessionOptions withMemoryBudget(long bytes) {
        return new SessionOptions(threads, bytes, disabledRewrites, precision);
    }

    public SessionOptions withoutRewrites(String... names) {
        return new SessionOptions(threads, memoryBudget, Set.of(names), precision);
    }

    public SessionOptions withPrecision(DType type) {
        return new SessionOptions(threads, memoryBudget, disabledRewrites, type);
    }
}
