package dev.tarn.ffm.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;

/** Reads {@code tarn_plan}: six 64-bit integers that {@link TarnLibrary#plan} fills. */
public final class PlanLayout {
    /** Phases that a variant may have. */
    public static final int PHASES = 3;

    public static final long BYTE_SIZE = (PHASES + 3) * (long) Long.BYTES;

    private PlanLayout() {}

    /** Tasks of a phase; 0 skips it. */
    public static long tasks(MemorySegment plan, int phase) {
        return word(plan, Objects.checkIndex(phase, PHASES));
    }

    /** Bytes that live from the first phase to the last, one block for all threads. */
    public static long shared(MemorySegment plan) {
        return word(plan, PHASES);
    }

    /** Bytes for each thread, dead after every call. */
    public static long scratch(MemorySegment plan) {
        return word(plan, PHASES + 1);
    }

    /** Whether phase 0 reads parameters only, so that its result in the shared block serves until they change. */
    public static boolean reusable(MemorySegment plan) {
        return word(plan, PHASES + 2) != 0;
    }

    private static long word(MemorySegment plan, int index) {
        return plan.getAtIndex(ValueLayout.JAVA_LONG, index);
    }
}
