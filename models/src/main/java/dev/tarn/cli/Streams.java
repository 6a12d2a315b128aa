package dev.tarn.cli;

import java.io.PrintStream;

/** Where a command writes: results to {@code out}; errors, progress and, beside JSON, text for people to {@code err}. */
record Streams(PrintStream out, PrintStream err, Progress.Style style) {}
