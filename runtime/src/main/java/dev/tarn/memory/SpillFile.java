package dev.tarn.memory;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/**
 * Memory beyond a budget: a file that pieces of memory are written to and read back from while kernels run. It is not mapped, so
 * what it holds takes no resident memory of this process; the system may keep it in its cache. One thread moves the pieces in the
 * order in which they were asked for. The file has no name once it is open, so that nothing is left however the process ends.
 *
 * <p>Pieces are reserved first, then the file is opened. One caller at a time. It and the thread meet in this object's
 * monitor, which, unlike the locks of {@code java.util.concurrent}, allocates nothing on the heap when they wait.
 */
public final class SpillFile implements AutoCloseable {
    private static final long CHUNK = 1 << 26;

    /** A piece of memory's place in the file. */
    public final class Slot {
        private final String name;
        private final long offset;
        private final long byteSize;
        // The moving thread's while the queue holds this slot, else the caller's.
        private MemorySegment memory = MemorySegment.NULL;
        private boolean stores;
        private @Nullable Exception failure;

        private Slot(String name, long offset, long byteSize) {
            this.name = name;
            this.offset = offset;
            this.byteSize = byteSize;
        }

        /** A part of this place, for pieces that move by themselves. */
        public Slot part(long from, long bytes) {
            if (from < 0 || bytes < 0 || from + bytes > byteSize) {
                throw new IllegalArgumentException(
                        "%s has %,d bytes, not %,d from %,d".formatted(name, byteSize, bytes, from));
            }
            return add(new Slot(name, offset + from, bytes));
        }

        /** This place in the whole file as memory, see {@link SpillFile#map}. */
        public MemorySegment of(MemorySegment file) {
            return file.asSlice(offset, byteSize);
        }

        /** Begins to write memory to the file; it must not change until {@link #await}. */
        public void store(MemorySegment from) {
            begin(from, true);
        }

        /** Begins to read memory back from the file; it must not be touched until {@link #await}. */
        public void load(MemorySegment into) {
            begin(into, false);
        }

        private void begin(MemorySegment segment, boolean isStore) {
            if (segment.byteSize() != byteSize) {
                throw new IllegalArgumentException(
                        "%s has room for %,d bytes, not %,d".formatted(name, byteSize, segment.byteSize()));
            }
            await();
            memory = segment;
            stores = isStore;
            enqueue(this);
        }

        /**
         * Waits until what was begun is done; returns at once if nothing was.
         *
         * @throws UncheckedIOException if the file could not be written or read
         * @throws IllegalStateException if the memory was closed meanwhile
         */
        public void await() {
            awaitEnd(this);
            Exception failed = failure;
            if (failed != null) {
                failure = null;
                String message = "%s could not be %s the spill file in %s: %s"
                        .formatted(name, stores ? "written to" : "read from", folder, failed.getMessage());
                throw failed instanceof IOException io
                        ? new UncheckedIOException(message, io)
                        : new IllegalStateException(message, failed);
            }
        }

        private void move() {
            try {
                for (long done = 0; done < byteSize; done += CHUNK) {
                    long size = Math.min(CHUNK, byteSize - done);
                    transfer(memory.asSlice(done, size).asByteBuffer(), offset + done, stores);
                }
            } catch (IOException | RuntimeException e) {
                failure = e; // of whoever waits: the thread goes on for others
            }
        }
    }

    private @Nullable Path folder;
    private @Nullable FileChannel channel;
    private @Nullable Thread mover;
    private Queue<Slot> queue = new ArrayDeque<>(); // guarded by this; its head is being moved
    private final List<Slot> slots = new ArrayList<>();
    private long byteSize;

    /** Reserves room, before the file is opened. */
    public Slot reserve(String name, long bytes) {
        Slot slot = add(new Slot(name, byteSize, bytes));
        byteSize += bytes;
        return slot;
    }

    private Slot add(Slot slot) {
        if (channel != null) {
            throw new IllegalStateException("room is reserved before the file is opened");
        }
        slots.add(slot);
        return slot;
    }

    /** Bytes of all pieces. */
    public long byteSize() {
        return byteSize;
    }

    /**
     * Creates the file, full of zeros and without a name, and starts the thread that moves pieces.
     *
     * @throws UncheckedIOException if the folder does not exist, cannot be written, or its disk has less room than is needed
     */
    public void open(Path in) {
        folder = in;
        try {
            long free = Files.getFileStore(in).getUsableSpace();
            if (free < byteSize) {
                throw new IOException("the disk has room for %,d bytes and the memory to spill is %,d; free some space,"
                                .formatted(free, byteSize)
                        + " choose another folder or allow more memory");
            }
            Path file = Files.createTempFile(in, "tarn-", ".spill");
            channel = FileChannel.open(
                    file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.DELETE_ON_CLOSE);
            // Where the system lets an open file lose its name, a killed process leaves none.
            Files.deleteIfExists(file);
            channel.write(ByteBuffer.allocate(1), byteSize - 1);
        } catch (IOException e) {
            throw new UncheckedIOException("spill file in " + in + ": " + e.getMessage(), e);
        }
        queue = new ArrayDeque<>(slots.size()); // never grows: it has room for every place
        mover = Thread.ofPlatform().daemon().name("tarn-spill").start(this::moveAll);
    }

    private void moveAll() {
        try {
            while (true) {
                head().move();
                dequeue();
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    private synchronized void enqueue(Slot slot) {
        queue.add(slot);
        notifyAll();
    }

    private synchronized Slot head() throws InterruptedException {
        while (queue.isEmpty()) {
            wait();
        }
        return queue.element();
    }

    private synchronized void dequeue() {
        queue.remove();
        notifyAll();
    }

    private synchronized void awaitEnd(Slot slot) {
        boolean interrupted = false;
        while (queue.contains(slot)) {
            try {
                wait();
            } catch (InterruptedException e) {
                // The memory is not ours again before the transfer has ended.
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void transfer(ByteBuffer memory, long position, boolean isStore) throws IOException {
        FileChannel file = channel;
        if (file == null) {
            throw new IOException("the file is not open");
        }
        long at = position;
        while (memory.hasRemaining()) {
            int moved = isStore ? file.write(memory, at) : file.read(memory, at);
            if (moved < 0) {
                throw new IOException("the file ends early");
            }
            at += moved;
        }
    }

    /**
     * The whole file as memory, for whoever must see all of it at once, such as a checkpoint; nothing may move meanwhile. What is touched
     * of it is resident until the arena is closed.
     */
    public MemorySegment map(Arena arena) throws IOException {
        drain();
        FileChannel file = channel;
        if (file == null) {
            throw new IllegalStateException("the spill file is not open");
        }
        return file.map(FileChannel.MapMode.READ_WRITE, 0, byteSize, arena);
    }

    /** Waits for all that is under way, whether it fails or not: afterwards no memory is being touched. */
    public void drain() {
        // By index: each run does this, and an iterator would be garbage.
        for (int i = 0; i < slots.size(); i++) {
            try {
                slots.get(i).await();
            } catch (UncheckedIOException | IllegalStateException e) {
                // Whoever needed it has been told, or will not need it any more.
            }
        }
    }

    /** Waits for all that is under way and gives the file up; closing again does nothing. */
    @Override
    public void close() {
        Thread thread = mover;
        FileChannel file = channel;
        if (thread == null || file == null) {
            return;
        }
        drain();
        thread.interrupt();
        try {
            thread.join();
            file.close();
        } catch (IOException | InterruptedException e) {
            // There is nothing in it that anybody will read.
            Thread.currentThread().interrupt();
        }
        mover = null;
        channel = null;
    }
}
