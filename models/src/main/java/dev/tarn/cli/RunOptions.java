package dev.tarn.cli;

import dev.tarn.profile.ProfileRecording;
import dev.tarn.session.Trainer;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Where a run is kept, and how often its state is. None of it changes what the run comes to. */
final class RunOptions {
    private static final double NANOS_PER_MINUTE = 60e9;

    @Option(
            names = "--out",
            paramLabel = "DIR",
            description = "The run folder (default: runs/MODEL-1, or the next number that is free).")
    private @Nullable Path out;

    @Option(names = "--resume", description = "Go on with the run in --out, to the same bits as if it had not stopped.")
    private boolean resume;

    @Option(
            names = "--checkpoint-steps",
            paramLabel = "N",
            description = "Write the state every N steps, too (default: after each epoch).")
    private @Nullable Long checkpointSteps;

    @Option(
            names = "--checkpoint-minutes",
            paramLabel = "M",
            description = "Write the state every M minutes, too, at the next step (default: after each epoch).")
    private @Nullable Double checkpointMinutes;

    @Option(
            names = "--profile",
            description =
                    "Record where the time goes, in " + ProfileCommand.FILE + " of the run folder, for tarn profile.")
    private boolean profile;

    /** @throws UsageException if a run is to be resumed that nobody names */
    void requireFolder() {
        if (resume && out == null) {
            throw new UsageException("--resume goes on with a run, and --out says which; add --out DIR");
        }
    }

    @Nullable
    Path out() {
        return out;
    }

    Trainer.Start start() {
        return resume ? Trainer.Start.RESUME : Trainer.Start.FRESH;
    }

    /** A recording of the run, until it is closed; null if none was asked for. */
    @Nullable
    ProfileRecording recording(Path folder) {
        return profile ? ProfileRecording.start(folder.resolve(ProfileCommand.FILE)) : null;
    }

    Trainer applyTo(Trainer trainer) {
        if (checkpointSteps != null) {
            trainer.checkpointedEvery(checkpointSteps);
        }
        if (checkpointMinutes != null) {
            trainer.checkpointedEvery(Duration.ofNanos(Math.round(checkpointMinutes * NANOS_PER_MINUTE)));
        }
        return trainer;
    }
}
