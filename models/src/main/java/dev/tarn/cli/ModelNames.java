package dev.tarn.cli;

import dev.tarn.models.ModelZoo;
import java.util.Iterator;

/** What {@code --model} takes, for help and completion. */
final class ModelNames implements Iterable<String> {
    static final String DESCRIPTION = "One of ${COMPLETION-CANDIDATES}.";

    @Override
    public Iterator<String> iterator() {
        return ModelZoo.names().iterator();
    }
}
