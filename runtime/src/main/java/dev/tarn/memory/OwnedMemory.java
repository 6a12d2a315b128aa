package dev.tarn.memory;

import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * All off-heap memory of one owner: a model, a session or a data loader. It is one shared arena, so that any worker may touch
 * it and closing it (dear: a handshake with every thread) happens once.
 *
 * <p>Kernels receive addresses inside argument blocks, where the JDK cannot see them. Whoever runs kernels therefore
 * {@link #acquire() holds} every memory they touch, and {@link #close()} refuses while it is held: use after close is an
 * exception, never a crash. An owner that is never closed is reported, with the stack that created it, but not freed behind its
 * users' back.
 */
public final class OwnedMemory implements AutoCloseable {
    /** Cache line and widest vector. */
    public static final long ALIGNMENT = 64;

    private static final Cleaner CLEANER = Cleaner.create();
    private static final List<String> LEAKS = Collections.synchronizedList(new ArrayList<>());
    private static final int CLOSED = -1;

    private final String owner;
    private final Arena arena = Arena.ofShared();
    private final AtomicInteger holders;
    private final AtomicLong bytes = new AtomicLong();

    private OwnedMemory(String owner) {
        this.owner = owner;
        this.holders = new AtomicInteger();
        CLEANER.register(this, new LeakReport(owner, holders, bytes, new Throwable("created here")));
    }

    /** Memory for an owner of that name; the name appears in errors and reports. */
    public static OwnedMemory open(String owner) {
        return new OwnedMemory(owner);
    }

    /**
     * Allocates zeroed memory, aligned to {@value #ALIGNMENT} bytes.
     *
     * @throws IllegalStateException if this memory is closed
     * @throws OutOfMemoryError if the system has none; the message says how much was asked for and how much is held
     */
    public MemorySegment allocate(long byteSize) {
        checkOpen();
        MemorySegment segment;
        try {
            segment = arena.allocate(byteSize, ALIGNMENT);
        } catch (OutOfMemoryError e) {
            throw new OutOfMemoryError("%s: the system refused %,d bytes off-heap (held already: %,d)"
                    .formatted(owner, byteSize, MemoryAccount.current()));
        }
        bytes.addAndGet(byteSize);
        MemoryAccount.add(byteSize);
        return segment;
    }

    /** Bytes allocated so far. */
    public long byteSize() {
        return bytes.get();
    }

    public boolean isOpen() {
        return holders.get() != CLOSED;
    }

    /** Keeps this memory open until {@link #release()}. */
    public void acquire() {
        int count;
        do {
            count = holders.get();
            if (count == CLOSED) {
                throw new IllegalStateException(owner + " is closed");
            }
        } while (!holders.compareAndSet(count, count + 1));
    }

    /** Ends one {@link #acquire()}. */
    public void release() {
        holders.decrementAndGet();
    }

    /** @throws IllegalStateException if this memory is closed */
    public void checkOpen() {
        if (!isOpen()) {
            throw new IllegalStateException(owner + " is closed");
        }
    }

    /**
     * Frees everything; closing again does nothing.
     *
     * @throws IllegalStateException if the memory is in use
     */
    @Override
    public void close() {
        if (holders.compareAndSet(0, CLOSED)) {
            arena.close();
            MemoryAccount.remove(bytes.get());
        } else if (isOpen()) {
            throw new IllegalStateException(
                    "%s cannot be closed: %d user(s) still hold its memory".formatted(owner, holders.get()));
        }
    }

    /** Owners that were collected without having been closed; tests assert that it is empty. */
    public static List<String> leaks() {
        return List.copyOf(LEAKS);
    }

    /** Runs when an owner was collected; holds no reference to it. */
    private record LeakReport(String owner, AtomicInteger holders, AtomicLong bytes, Throwable creation)
            implements Runnable {
        @Override
        public void run() {
            if (holders.get() != CLOSED) {
                LEAKS.add(owner);
                System.getLogger(OwnedMemory.class.getName())
                        .log(
                                Level.WARNING,
                                "%s was never closed: %,d bytes off-heap are lost".formatted(owner, bytes.get()),
                                creation);
            }
        }
    }
}
