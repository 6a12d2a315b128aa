package dev.tarn.cli;

import dev.tarn.session.SessionOptions;
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
            description =
                    "Most off-heap memory, such as 300m or 2g, data sets aside. What does not fit is refused before it"
                            + " starts.")
    private @Nullable ByteSize memory;

    SessionOptions options() {
        SessionOptions options = SessionOptions.DEFAULT;
        if (threads != null) {
            options = options.withThreads(threads);
        }
        return memory == null ? options : options.withMemoryBudget(memory.bytes());
    }
}
