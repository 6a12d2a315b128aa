package dev.tarn.memory;

import java.util.List;

/** A plan needs more memory than the budget allows; nothing was allocated. */
public final class MemoryBudgetException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final long needed;
    private final long budget;

    MemoryBudgetException(long needed, long budget, List<String> largest) {
        super("the plan needs at least %,d bytes and the budget is %,d; largest: %s; a smaller batch needs less"
                .formatted(needed, budget, String.join(", ", largest)));
        this.needed = needed;
        this.budget = budget;
    }

    /** Bytes that the plan needs. */
    public long needed() {
        return needed;
    }

    /** Bytes that were allowed. */
    public long budget() {
        return budget;
    }
}
