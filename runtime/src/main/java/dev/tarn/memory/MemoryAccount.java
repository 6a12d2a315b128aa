package dev.tarn.memory;

import java.util.concurrent.atomic.AtomicLong;

/** Counts the off-heap bytes that this process holds through {@link OwnedMemory}: now, at most, and ever. */
public final class MemoryAccount {
    private static final AtomicLong CURRENT = new AtomicLong();
    private static final AtomicLong PEAK = new AtomicLong();
    private static final AtomicLong ALLOCATED = new AtomicLong();

    private MemoryAccount() {}

    /** Bytes held now. */
    public static long current() {
        return CURRENT.get();
    }

    /** The most bytes held at any time since the process started. */
    public static long peak() {
        return PEAK.get();
    }

    /** Bytes ever allocated; a training step must not raise it. */
    public static long allocated() {
        return ALLOCATED.get();
    }

    static void add(long bytes) {
        ALLOCATED.addAndGet(bytes);
        PEAK.accumulateAndGet(CURRENT.addAndGet(bytes), Math::max);
    }

    static void remove(long bytes) {
        CURRENT.addAndGet(-bytes);
    }
}
