package dev.tarn.cli;

import dev.tarn.models.ModelZoo;
import java.util.Iterator;
import picocli.CommandLine.Option;

/** A network by its name. */
final class ModelOption {
    static final String DESCRIPTION = "One of ${COMPLETION-CANDIDATES}.";

    /** What {@code --model} takes, for help and completion. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return ModelZoo.names().iterator();
        }
    }

    @Option(
            names = "--model",
            required = true,
            paramLabel = "NAME",
            completionCandidates = Names.class,
            description = DESCRIPTION)
    private String name = "";

    ModelZoo.Entry entry() {
        return ModelZoo.find(name);
    }
}
