package dev.tarn.session;

import dev.tarn.data.DataLoader;
import java.util.List;

/** Where a run is in steps, passes and time, and whether it is over there. */
final class RunClock {
    private final TrainingSession session;
    private final DataLoader loader;
    private final Stopping stopping;
    private final long started;

    /** @param seconds that the run took before it was interrupted */
    RunClock(TrainingSession session, DataLoader loader, Stopping stopping, double seconds) {
        this.session = session;
        this.loader = loader;
        this.stopping = stopping;
        this.started = System.nanoTime() - Math.round(1e9 * seconds);
    }

    double passes() {
        return loader.passes(session.step());
    }

    double seconds() {
        return (System.nanoTime() - started) / 1e9;
    }

    boolean isOver(List<Validation> validations) {
        return stopping.isDue(session.step(), passes(), seconds(), validations);
    }
}
