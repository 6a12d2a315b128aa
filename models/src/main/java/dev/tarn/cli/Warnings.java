package dev.tarn.cli;

import dev.tarn.session.Lint;
import java.io.PrintStream;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Option;

/** Which warnings are worth a line. */
final class Warnings {
    private Set<Lint.Id> silenced = Set.of();

    @Option(
            names = "--silence",
            paramLabel = "ID,...",
            description = "Warnings to leave out, by the names that they are printed with, or all.")
    private void silence(String ids) {
        silenced = Lint.Id.parse(ids);
    }

    /** Those that are not silenced. */
    List<Lint> heard(List<Lint> lints) {
        return lints.stream().filter(lint -> !silenced.contains(lint.id())).toList();
    }

    /** A line for each that is not silenced. */
    void print(List<Lint> lints, PrintStream err) {
        heard(lints).forEach(lint -> err.println("warning: " + lint));
    }
}
