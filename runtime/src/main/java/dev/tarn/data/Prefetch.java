package dev.tarn.data;

import dev.tarn.tensor.Rng;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * One epoch under way: a thread fills the ring of batches, the consumer iterates. The thread lives as long as there is something to
 * fill, so that an idle loader has none. Both sides meet in this object's monitor, which, unlike the locks of
 * {@code java.util.concurrent}, allocates nothing on the heap when they wait.
 */
final class Prefetch implements Iterator<Batch> {
    /** What all epochs of a loader share; only one thread at a time fills from it. */
    record Source(
            Dataset dataset, ImageWriter[] writers, Staging staging, Sampling sampling, long seed, long batchSize) {
        /** Which image of the data set has a place in the epoch that is under way. */
        long sample(long place) {
            return sampling == Sampling.SEQUENTIAL ? place : staging.order().getAtIndex(ValueLayout.JAVA_INT, place);
        }
    }

    private final Source source;
    private final long epoch;
    private final long end;
    private final long firstSlot; // running slot number of batch 0; slots of earlier batches are never touched
    private final Thread consumer = Thread.currentThread();
    // Guarded by this.
    private long filled;
    private long taken;
    private boolean ordered;
    private volatile boolean stopping; // written under the monitor, read without
    private @Nullable String abandoned;
    private @Nullable Throwable failure;
    private @Nullable Thread thread;

    /** @param slot where the first batch goes; the slot before it is the one that the consumer may still hold */
    Prefetch(Source source, long epoch, long firstBatch, long end, long slot) {
        this.source = source;
        this.epoch = epoch;
        this.end = end;
        this.firstSlot = slot - firstBatch;
        this.filled = firstBatch;
        this.taken = firstBatch;
    }

    /** Starts filling, or goes on after {@link #stop()}. */
    synchronized void start() {
        stopping = false;
        if (failure == null && filled < end) {
            thread = Thread.ofPlatform().daemon().name("tarn-data-loader").start(this::run);
        }
    }

    /** Ends the thread, at the latest after the image that it is reading; batches that are filled stay. */
    void stop() {
        Thread running;
        synchronized (this) {
            stopping = true;
            notifyAll();
            running = thread;
            thread = null;
        }
        boolean interrupted = false;
        while (running != null && running.isAlive()) {
            try {
                running.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Makes the iterator fail from now on. */
    synchronized void abandon(String reason) {
        abandoned = reason;
        notifyAll();
    }

    /** The slot after the batch that was taken last. */
    synchronized long nextSlot() {
        return slot(taken);
    }

    private long slot(long batch) {
        return Math.floorMod(firstSlot + batch, (long) Staging.SLOTS);
    }

    private Batch batch(long index) {
        return index == end - 1 ? source.staging.last(slot(index)) : source.staging.whole(slot(index));
    }

    @Override
    public synchronized boolean hasNext() {
        return taken < end;
    }

    /**
     * Waits for the next batch. The one before it may be overwritten from now on.
     *
     * @throws DataException if the batch could not be read
     * @throws IllegalStateException if this epoch was ended, or belongs to another thread
     */
    @Override
    public synchronized Batch next() {
        if (Thread.currentThread() != consumer) {
            throw new IllegalStateException("epoch %d belongs to thread '%s', not to '%s': a loader serves one consumer"
                    .formatted(epoch, consumer.getName(), Thread.currentThread().getName()));
        }
        if (taken == end) {
            throw new NoSuchElementException("epoch %d has %d batches".formatted(epoch, end));
        }
        try {
            if (isWaiting()) {
                WaitEvent.Recorded event = WaitEvent.start();
                while (isWaiting()) {
                    wait();
                }
                WaitEvent.end(event, epoch, taken);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while waiting for batch %d".formatted(taken), e);
        }
        if (abandoned != null) {
            throw new IllegalStateException("epoch %d ended at batch %d: %s".formatted(epoch, taken, abandoned));
        }
        if (filled == taken && failure != null) {
            throw new DataException(
                    "batch %d of epoch %d cannot be read: %s".formatted(taken, epoch, failure.getMessage()), failure);
        }
        notifyAll();
        return batch(taken++);
    }

    private boolean isWaiting() {
        return filled == taken && failure == null && abandoned == null;
    }

    /** The images of the batch that was taken last, by their index in the data set. */
    synchronized long[] samples() {
        long[] samples = new long[taken == 0 ? 0 : (int) batch(taken - 1).size()];
        Arrays.setAll(samples, i -> source.sample((taken - 1) * source.batchSize + i));
        return samples;
    }

    private void run() {
        try (var reader = new BatchReader(source, epoch, () -> stopping)) {
            arrange();
            for (long index = awaitRoom(); index < end; index = awaitRoom()) {
                reader.read(batch(index), index * source.batchSize);
                synchronized (this) {
                    if (!stopping) { // else it may be unfinished
                        filled++;
                        notifyAll();
                    }
                }
            }
        } catch (Throwable e) { // also errors: whatever it is, the consumer must not wait forever
            synchronized (this) {
                failure = e;
                notifyAll();
            }
        }
    }

    private void arrange() {
        if (!ordered) {
            Rng rng = new Rng(source.seed, Rng.Stream.SHUFFLE, epoch);
            int size = (int) source.dataset.size();
            switch (source.sampling) {
                case SEQUENTIAL -> {}
                case SHUFFLED -> rng.permutation(source.staging.order(), size);
                case WITH_REPLACEMENT -> {
                    for (int i = 0; i < size; i++) {
                        source.staging.order().setAtIndex(ValueLayout.JAVA_INT, i, (int) rng.nextLong(size));
                    }
                }
            }
        }
        ordered = true;
    }

    /** Waits until a slot is free; the batch to fill, or the end if there is none or the thread shall stop. */
    private synchronized long awaitRoom() throws InterruptedException {
        while (!stopping && filled < end && filled == taken + Staging.SLOTS - 1) {
            wait();
        }
        return stopping ? end : filled;
    }
}
