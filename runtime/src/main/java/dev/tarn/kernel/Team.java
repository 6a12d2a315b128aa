package dev.tarn.kernel;

import dev.tarn.ffm.kernels.NativeException;
import dev.tarn.ffm.kernels.Status;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * The threads of one session: the caller and {@code threads - 1} workers, which spin briefly for the next kernel and then park.
 * Tasks are handed out as threads ask for them; since a kernel's result does not depend on who runs a task, neither do the
 * bits. One caller at a time; running allocates nothing.
 */
public final class Team implements AutoCloseable {
    /** How long a worker spins before it parks: longer than the gap between two kernels, shorter than a scheduler's slice. */
    private static final long SPIN_NANOS = 50_000;

    /** Hand out about this many portions for each thread, so that a late thread leaves little undone. */
    private static final long PORTIONS = 4;

    private static final int OK = Status.OK.ordinal();

    private final Worker[] workers;
    private final AtomicLong nextTask = new AtomicLong();
    private final AtomicInteger running = new AtomicInteger();
    private final AtomicInteger failure = new AtomicInteger(OK);
    private final AtomicInteger round = new AtomicInteger();
    private volatile boolean closed;
    private volatile @Nullable Throwable thrown;

    // Written before round is, read after it: round's volatile write publishes them.
    private @Nullable BoundKernel kernel;
    private int phase;
    private long tasks;
    private long portion;

    /** A team of that many threads, the caller included. */
    public Team(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("a team has at least one thread, not " + threads);
        }
        workers = new Worker[threads - 1];
        for (int i = 0; i < workers.length; i++) {
            workers[i] = new Worker(i + 1);
            workers[i].start();
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
        int status;
        if (count == 1 || workers.length == 0) {
            status = bound.run(boundPhase, 0, 0, count);
        } else {
            kernel = bound;
            phase = boundPhase;
            tasks = count;
            portion = Math.max(1, count / (PORTIONS * threads()));
            failure.setPlain(OK);
            nextTask.setPlain(0);
            running.setPlain(workers.length);
            round.incrementAndGet();
            for (Worker worker : workers) {
                worker.wake();
            }
            work(bound, boundPhase, 0);
            while (running.get() != 0) {
                Thread.onSpinWait();
            }
            status = failure.getPlain();
            rethrow();
        }
        if (status != OK) {
            throw new NativeException(bound.name(), Status.of(status));
        }
    }

    private void rethrow() {
        Throwable e = thrown;
        if (e != null) {
            thrown = null;
            throw new IllegalStateException("a worker failed: " + e.getMessage(), e);
        }
    }

    private void work(BoundKernel bound, int boundPhase, int worker) {
        long count = tasks;
        long step = portion;
        for (long begin = nextTask.getAndAdd(step); begin < count; begin = nextTask.getAndAdd(step)) {
            int status = bound.run(boundPhase, worker, begin, Math.min(begin + step, count));
            if (status != OK) {
                failure.compareAndSet(OK, status);
            }
        }
    }

    /** Ends the workers; the team must be idle. */
    @Override
    public void close() {
        closed = true;
        round.incrementAndGet();
        for (Worker worker : workers) {
            worker.wake();
        }
        for (Worker worker : workers) {
            worker.join();
        }
    }

    private final class Worker implements Runnable {
        private final int index;
        private final Thread thread;
        private volatile boolean parked;

        Worker(int index) {
            this.index = index;
            this.thread = Thread.ofPlatform().daemon().name("tarn-worker-" + index).unstarted(this);
        }

        void start() {
            thread.start();
        }

        void wake() {
            if (parked) {
                LockSupport.unpark(thread);
            }
        }

        void join() {
            boolean interrupted = false;
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }

        @Override
        public void run() {
            int seen = 0;
            while (true) {
                seen = awaitRoundAfter(seen);
                if (closed) {
                    return;
                }
                BoundKernel bound = kernel;
                if (bound != null) {
                    try {
                        work(bound, phase, index);
                    } catch (Throwable e) {
                        thrown = e;
                    } finally {
                        running.decrementAndGet();
                    }
                }
            }
        }

        private int awaitRoundAfter(int seen) {
            long deadline = 0;
            for (int spins = 1; ; spins++) {
                int now = round.get();
                if (now != seen) {
                    return now;
                }
                Thread.onSpinWait();
                if ((spins & 0x3F) != 0) {
                    continue;
                }
                long time = System.nanoTime();
                if (deadline == 0) {
                    deadline = time + SPIN_NANOS;
                } else if (time - deadline > 0) {
                    parked = true;
                    if (round.get() == seen) {
                        LockSupport.park(this);
                    }
                    parked = false;
                    deadline = 0;
                }
            }
        }
    }
}
