package dev.tarn.kernel;

import dev.tarn.ffm.kernels.NativeException;
import dev.tarn.ffm.kernels.Status;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one session: the caller and {@code threads - 1} workers, which spin briefly for the next kernel and then park.
 * Each has a range of a kernel's tasks to begin with, the same part of all of them, so that it finds in its own caches what it
 * wrote in the kernel before; whoever is done takes from the ranges of others. Since a kernel's result does not depend on who runs
 * a task, neither do the bits. A worker that the system does not schedule holds nobody up: the caller waits for portions that were
 * taken, not for threads. One caller at a time; running allocates nothing.
 */
public final class Team implements AutoCloseable {
    /** How long a worker spins before it parks: longer than the gap between two kernels, shorter than a scheduler's slice. */
    private static final long SPIN_NANOS = 50_000;

    /** Rounds of waiting before the caller offers its processor to a worker that was interrupted in the middle of a portion. */
    private static final int SPINS_BEFORE_YIELD = 2_000;

    /**
     * A portion takes at least so long, by the times of earlier runs: to hand one to another thread and to learn that it is done
     * costs about a microsecond. A phase of less than two portions runs on the caller alone.
     */
    private static final double SHORTEST_PORTION_NANOS = 1_500;

    /** Tasks longer than this are handed out one by one, so that threads end together. */
    private static final double LONGEST_PORTION_NANOS = 20_000;

    /** Hand out at least about this many portions for each thread, so that a late thread leaves little undone. */
    private static final long PORTIONS = 4;

    private static final int OK = Status.OK.ordinal();
    private static final int MOST_PORTIONS = 0xFFFF;

    /** Longs from one thread's range to the next, which lies in cache lines of its own. */
    private static final int APART = 16;

    private final Worker[] workers;

    /**
     * For each thread the round in the high half, then the first portion of its range that nobody has taken, and the one behind the
     * last, 16 bits each. Taking one is a compare-and-set of all three, so a late worker cannot take from a round that it has not
     * seen; and while portions are left the caller stays in this round, so what a taker reads below belongs to it.
     */
    private final AtomicLongArray ranges;

    private final AtomicInteger done = new AtomicInteger();
    private final AtomicInteger failure = new AtomicInteger(OK);
    private volatile @Nullable Throwable thrown;
    private volatile boolean closed;

    private @Nullable BoundKernel kernel;
    private int phase;
    private long tasks;
    private long portion;
    private int portions;

    /** A team of that many threads, the caller included. */
    public Team(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("a team has at least one thread, not " + threads);
        }
        ranges = new AtomicLongArray(threads * APART);
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].thread.start();
        }
    }

    /** Number of threads, the caller included. */
    public int threads() {
        return workers.length + 1;
    }

    /** Runs all phases of a kernel. */
    public void run(BoundKernel bound) {
        for (int p = 0; p < bound.phases(); p++) {
            run(bound, p);
        }
    }

    /**
     * Runs one phase of a kernel and returns when all its tasks are done.
     *
     * @throws NativeException if a task failed
     */
    public void run(BoundKernel bound, int boundPhase) {
        long count = bound.tasks(boundPhase);
        if (count == 0) {
            return;
        }
        long size = portion(count, bound.taskNanos(boundPhase));
        int status = workers.length == 0 || count < 2 * size
                ? bound.run(boundPhase, 0, 0, count)
                : share(bound, boundPhase, count, size);
        if (status != OK) {
            throw new NativeException(bound.name(), Status.of(status));
        }
    }

    /** How many tasks to hand out at a time. */
    private long portion(long count, double taskNanos) {
        double shortest = Math.min(count, SHORTEST_PORTION_NANOS / taskNanos);
        double longest = LONGEST_PORTION_NANOS / taskNanos;
        double size = Math.max(shortest, Math.min(longest, (double) count / (PORTIONS * threads())));
        return Math.max(Math.ceilDiv(count, MOST_PORTIONS), (long) size);
    }

    private int share(BoundKernel bound, int boundPhase, long count, long size) {
        kernel = bound;
        phase = boundPhase;
        tasks = count;
        portion = size;
        portions = (int) ((count + portion - 1) / portion);
        failure.setPlain(OK);
        done.setPlain(0);
        long round = (ranges.getPlain(0) >>> 32) + 1;
        for (int i = 0; i < threads(); i++) {
            ranges.set(i * APART, round << 32 | (long) firstPortion(i) << 16 | firstPortion(i + 1));
        }
        for (Worker worker : workers) {
            worker.wake();
        }
        takePortions(0);
        for (int spins = 0; done.get() != portions; spins++) {
            if (spins < SPINS_BEFORE_YIELD) {
                Thread.onSpinWait();
            } else {
                Thread.yield();
            }
        }
        Throwable e = thrown;
        if (e != null) {
            thrown = null;
            throw new IllegalStateException("%s failed: %s".formatted(bound.name(), e.getMessage()), e);
        }
        return failure.get();
    }

    /** The first portion of a thread's range. */
    private int firstPortion(int thread) {
        return portions * thread / threads();
    }

    /** Runs portions until none is left, those of its own range first; returns the round of that range when it began. */
    private long takePortions(int worker) {
        long round = ranges.get(worker * APART) >>> 32;
        int taken = 0;
        for (int i = 0; i < threads(); i++) {
            int owner = (worker + i) % threads();
            for (int index = take(owner, worker); index >= 0; index = take(owner, worker)) {
                runPortion(index, worker);
                taken++;
            }
        }
        if (taken > 0) {
            done.addAndGet(taken);
        }
        return round;
    }

    /**
     * A portion of a thread's range, or -1 where none is left. Phase 0 goes forward and later ones go back: what was read last is
     * still in a cache. Others take from the end that the owner comes to last.
     */
    private int take(int owner, int worker) {
        while (true) {
            long seen = ranges.get(owner * APART);
            int first = (int) (seen >>> 16) & MOST_PORTIONS;
            int end = (int) seen & MOST_PORTIONS;
            if (first == end) {
                return -1;
            }
            boolean forward = (phase == 0) == (worker == owner);
            if (ranges.compareAndSet(owner * APART, seen, forward ? seen + (1 << 16) : seen - 1)) {
                return forward ? first : end - 1;
            }
        }
    }

    private void runPortion(int index, int worker) {
        BoundKernel bound = kernel;
        try {
            if (bound != null) {
                long begin = index * portion;
                long end = Math.min(begin + portion, tasks);
                long start = System.nanoTime();
                int status = bound.run(phase, worker, begin, end);
                if (worker == 0) {
                    bound.timed(phase, end - begin, System.nanoTime() - start);
                }
                if (status != OK) {
                    failure.compareAndSet(OK, status);
                }
            }
        } catch (Throwable e) {
            thrown = e;
        }
    }

    /** Ends the workers; the team must be idle. */
    @Override
    public void close() {
        closed = true;
        for (Worker worker : workers) {
            LockSupport.unpark(worker.thread);
        }
        boolean interrupted = false;
        for (Worker worker : workers) {
            while (worker.thread.isAlive()) {
                try {
                    worker.thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private final class Worker implements Runnable {
        private final int index;
        private final Thread thread;
        private volatile boolean parked;

        Worker(int index) {
            this.index = index;
            this.thread =
                    Thread.ofPlatform().daemon().name("tarn-worker-" + index).unstarted(this);
        }

        void wake() {
            if (parked) {
                LockSupport.unpark(thread);
            }
        }

        @Override
        public void run() {
            while (!closed) {
                long round = takePortions(index);
                awaitRoundAfter(round);
            }
        }

        private void awaitRoundAfter(long round) {
            long deadline = System.nanoTime() + SPIN_NANOS;
            for (int spins = 1; isRound(round); spins++) {
                Thread.onSpinWait();
                // Reading the clock costs as much as a few turns of the loop.
                if ((spins & 0x3F) == 0 && System.nanoTime() - deadline > 0) {
                    parked = true;
                    if (isRound(round)) {
                        LockSupport.park(this);
                    }
                    parked = false;
                }
            }
        }

        private boolean isRound(long round) {
            return ranges.get(index * APART) >>> 32 == round && !closed;
        }
    }
}
