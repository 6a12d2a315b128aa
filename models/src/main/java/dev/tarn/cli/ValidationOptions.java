package dev.tarn.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** What a network is judged by. */
final class ValidationOptions {
    static final String HEADING = "%nEvaluation: what judges the network, and ends its training%n";

    @Option(
            names = "--validation",
            paramLabel = "SHARE",
            description = "Share of the training images to hold out, such as 0.1: they choose, and the test split only"
                    + " judges what they chose in the end (default: the test split chooses).")
    private @Nullable Double share;

    @Nullable
    Double share() {
        return share;
    }
}
