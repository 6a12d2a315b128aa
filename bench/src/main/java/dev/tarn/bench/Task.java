package dev.tarn.bench;

import java.util.Locale;

/** What is timed. */
public enum Task {
    /** A step on one batch that lies in memory: forward, loss, backward, SGD with momentum. */
    TRAINING,
    /** Such steps on batches that a data loader reads, normalises and shuffles meanwhile. */
    TRAINING_LOADER,
    /** A batch that lies in memory, through the trained form of the network. */
    INFERENCE;

    /** As options and reports spell it: {@code training-loader}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
