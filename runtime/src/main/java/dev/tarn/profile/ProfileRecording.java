package dev.tarn.profile;

import java.io.IOException;
import java.nio.file.Path;
import jdk.jfr.Recording;

/**
 * Records what {@link Profile} reads, from when it is made until it is closed: Tarn's own events and nothing else. A long run's oldest
 * events give way when they take more than 256 MB of the temporary folder.
 */
public final class ProfileRecording implements AutoCloseable {
    private static final long MOST_BYTES = 256_000_000;

    private final Recording recording = new Recording();
    private final Path file;

    private ProfileRecording(Path file) {
        this.file = file;
    }

    /** Starts a recording, which {@link #close} writes to a file. */
    public static ProfileRecording start(Path file) {
        var started = new ProfileRecording(file);
        started.recording.setName("Tarn");
        started.recording.setMaxSize(MOST_BYTES);
        started.recording.start();
        return started;
    }

    /** @throws IOException if the file cannot be written */
    @Override
    public void close() throws IOException {
        try (recording) {
            recording.stop();
            recording.dump(file);
        }
    }
}
