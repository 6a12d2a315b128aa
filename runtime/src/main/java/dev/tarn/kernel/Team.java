package dev.tarn.kernel;

import dev.tarn.ffm.kernels.NativeException;
import dev.tarn.ffm.kernels.Status;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one session: the caller and {@code threads - 1} workers, which spin briefly for the next kernel and then park.
 * Portions of a kernel's tasks go to whoever asks; since a kernel's result does not depend on who runs a task, neither do the
 * bits. A worker that the system does not schedule holds nobody up: the caller waits for portions that were taken, not for
 * threads. One caller at a time; running allocates nothing.
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
    private static final long REMAINING = 0xFFFFFFFFL;

    private final Worker[] workers;

    /**
     * The round in the high half, the portions that nobody has taken in the low half. Taking one is a compare-and-set of both, so
     * a late worker cannot take from a round that it has not seen; and while portions are left the caller stays in this round,
     * so what a taker reads below belongs to it.
     */
    private final AtomicLong state = new AtomicLong();

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
        return (long) Math.max(1, Math.max(shortest, Math.min(longest, (double) count / (PORTIONS * threads()))));
    }

    private int share(BoundKernel bound, int boundPhase, long count, long size) {
        kernel = bound;
        phase = boundPhase;
        tasks = count;
        portion = size;
        portions = (int) ((count + portion - 1) / portion);
        failure.setPlain(OK);
        done.setPlain(0);
        long round = (state.getPlain() >>> 32) + 1;
        state.set(round << 32 | portions);
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

    /** Runs portions until none is left; returns the round that it saw last. */
    private long takePortions(int worker) {
        while (true) {
            long seen = state.get();
            if ((seen & REMAINING) == 0) {
                return seen >>> 32;
            }
            if (state.compareAndSet(seen, seen - 1)) {
                runPortion((seen & REMAINING) - 1, worker);
            }
        }
    }

    private void runPortion(long index, int worker) {
        BoundKernel bound = kernel;
        try {
            if (bound != null) {
                // Phase 0 goes forward and later ones go back: what was read last is still in a cache.
                long begin = (phase == 0 ? portions - 1 - index : index) * portion;
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
        } finally {
            done.incrementAndGet();
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
            for (int spins = 1; state.get() >>> 32 == round && !closed; spins++) {
                Thread.onSpinWait();
                // Reading the clock costs as much as a few turns of the loop.
                if ((spins & 0x3F) == 0 && System.nanoTime() - deadline > 0) {
                    parked = true;
                    if (state.get() >>> 32 == round && !closed) {
                        LockSupport.park(this);
                    }
                    parked = false;
                }
            }
        }
    }
}
