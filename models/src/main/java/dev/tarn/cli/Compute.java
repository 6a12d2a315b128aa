package dev.tarn.cli;

import dev.tarn.session.SessionOptions;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a command may take of the machine. */
final class Compute {
    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads that compute (default: all processors). Results do not depend on it.")
    private @Nullable Integer threads;

    @Option(
            names = "--memory",
            paramLabel = "SIZE",
            description = "Most off-heap memory, such as 300m or 2g, data sets aside. Training that needs more computes"
                    + " values again or moves them to a file and back, to the same bits; what does not fit even so"
                    + " is refused before it starts.")
    private @Nullable ByteSize memory;

    @Option(
            names = "--spill",
            paramLabel = "DIR",
            description = "Folder on a disk for that file (default: the system's for temporary files).")
    private @Nullable Path spill;

    SessionOptions options() {
        SessionOptions options = SessionOptions.DEFAULT;
        if (threads != null) {
            options = options.withThreads(threads);
        }
        if (spill != null) {
            options = options.withSpillFolder(spill);
        }
        return memory == null ? options : options.withMemoryBudget(memory.bytes());
    }
}
