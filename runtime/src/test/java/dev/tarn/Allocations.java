package dev.tarn;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.management.ThreadMXBean;
import dev.tarn.memory.MemoryAccount;
import java.lang.management.ManagementFactory;

/** Assertions on what running code takes from the heap and off it. */
public final class Allocations {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final int WINDOWS = 200;
    private static final int STEPS = 100;

    private Allocations() {}

    /** {@link #assertAllocatesNothing(Thread, Runnable)} of the calling thread. */
    public static void assertAllocatesNothing(Runnable step) {
        assertAllocatesNothing(Thread.currentThread(), step);
    }

    /**
     * Steps take nothing off the heap, and in the best of up to 200 windows of 100 steps the thread takes not a byte from
     * the heap. What every step takes, or one in a hundred, is in all windows and cannot hide; what the JVM takes once,
     * when it links or compiles code, is not, however late it comes.
     */
    public static void assertAllocatesNothing(Thread thread, Runnable step) {
        long offHeap = MemoryAccount.allocated();
        long least = Long.MAX_VALUE;
        for (int window = 0; window < WINDOWS && least > 0; window++) {
            long before = THREADS.getThreadAllocatedBytes(thread.threadId());
            for (int i = 0; i < STEPS; i++) {
                step.run();
            }
            least = Math.min(least, THREADS.getThreadAllocatedBytes(thread.threadId()) - before);
        }
        assertEquals(0, least, "heap bytes in %d steps".formatted(STEPS));
        assertEquals(offHeap, MemoryAccount.allocated(), "bytes ever taken off the heap");
    }
}
