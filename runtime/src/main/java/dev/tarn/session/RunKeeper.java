package dev.tarn.session;

import dev.tarn.io.RunFolder;
import java.io.IOException;
import java.time.Duration;

/**
 * Keeps a run on the disk: its best weights, a line for each epoch, and the state that it goes on from. A file that cannot be
 * written ends the run: what that loses is made good by resuming, where going on would risk ever more.
 */
final class RunKeeper {
    private final RunFolder folder;
    private final Model model;
    private final ModelCard card;
    private final TrainingSession session;
    private final long everySteps;
    private final long everyNanos;
    private long safeStep;
    private long safeNanos = System.nanoTime();

    /**
     * @param everySteps how many steps within an epoch go without a checkpoint
     * @param every how much time does
     */
    RunKeeper(RunFolder folder, Model model, ModelCard card, TrainingSession session, long everySteps, Duration every) {
        this.folder = folder;
        this.model = model;
        this.card = card;
        this.session = session;
        this.everySteps = everySteps;
        this.everyNanos = every.toNanos();
        this.safeStep = session.step();
    }

    /** Writes a checkpoint within an epoch, if one is due. */
    void afterStep(RunProgress progress, TrainingPass pass) throws IOException {
        if (session.step() % everySteps == 0 || System.nanoTime() - safeNanos >= everyNanos) {
            try {
                checkpoint(progress.within(pass.sums()));
            } catch (IOException e) {
                throw notKept(e);
            }
        }
    }

    /** Writes what an epoch came to. */
    void afterEpoch(RunProgress progress, EpochResult result) throws IOException {
        try {
            if (progress.best().equals(progress.validations().getLast())) {
                model.save(folder.best(), card);
            }
            folder.appendMetrics(result.toJson());
            // Last of all: a run that was killed before goes through this epoch again and writes the same.
            checkpoint(progress);
        } catch (IOException e) {
            throw notKept(e);
        }
    }

    private void checkpoint(RunProgress progress) throws IOException {
        session.checkpoint(folder.last(), progress.addTo(card.toMetadata()));
        safeStep = session.step();
        safeNanos = System.nanoTime();
    }

    private IOException notKept(IOException cause) {
        String safe = safeStep == 0
                ? "nothing of the run is on the disk yet"
                : "the run is safe up to step %,d: make room and go on from there by --resume".formatted(safeStep);
        return new IOException("%s; %s".formatted(cause.getMessage(), safe), cause);
    }
}
