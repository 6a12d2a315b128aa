package dev.tarn.session;

import dev.tarn.tensor.DType;
import java.nio.file.Path;
import java.util.Set;

/**
 * How a session runs. Immutable; each setter returns other options.
 *
 * @param threads threads that compute, the caller included
 * @param memoryBudget most bytes that the session's plan may take; training that would take more computes values again in its
 *     backward pass and, if need be, moves some to a file and back, which changes time but no bit of the results
 * @param disabledRewrites names of graph rewrites to leave out, such as {@code fuse-activation}
 * @param precision type of activations: F32 for the model's own, or BF16 in inference, where weights are rounded to BF16 too
 *     and sums stay F32. Inputs, outputs and the model's parameters stay what they are.
 */
public record SessionOptions(
        int threads, long memoryBudget, Set<String> disabledRewrites, DType precision, Path spillFolder) {
    /** As many threads as processors, memory without limit, all rewrites. */
    public static final SessionOptions DEFAULT = new SessionOptions(
            Runtime.getRuntime().availableProcessors(),
            Long.MAX_VALUE,
            Set.of(),
            DType.F32,
            Path.of(System.getProperty("java.io.tmpdir")));

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
        return new SessionOptions(count, memoryBudget, disabledRewrites, precision, spillFolder);
    }

    public SessionOptions withMemoryBudget(long bytes) {
        return new SessionOptions(threads, bytes, disabledRewrites, precision, spillFolder);
    }

    /** With what is left of the budget when others take so many bytes of it. */
    public SessionOptions withBudgetLessBy(long bytes) {
        return memoryBudget == Long.MAX_VALUE ? this : withMemoryBudget(Math.max(0, memoryBudget - bytes));
    }

    public SessionOptions withoutRewrites(String... names) {
        return new SessionOptions(threads, memoryBudget, Set.of(names), precision, spillFolder);
    }

    public SessionOptions withPrecision(DType type) {
        return new SessionOptions(threads, memoryBudget, disabledRewrites, type, spillFolder);
    }

    public SessionOptions withSpillFolder(Path folder) {
        return new SessionOptions(threads, memoryBudget, disabledRewrites, precision, folder);
    }
}
