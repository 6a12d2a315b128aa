package dev.tarn.bench;

import java.util.Arrays;
import java.util.Locale;

/** What a process does over and over while it is timed. */
public enum Task {
    /** A step on one batch that lies in memory: forward, loss, backward, SGD with momentum. */
    TRAINING,
    /** Such steps with Nesterov's look-ahead. */
    TRAINING_NESTEROV,
    /** Nothing is timed: the first such steps in double precision, which say how far float32 is from what it means. */
    TRAINING_F64,
    /** Such steps on batches that a data loader reads, normalises and shuffles meanwhile. */
    TRAINING_LOADER,
    /** A batch that lies in memory, through the trained form of the network, in float32. */
    INFERENCE,
    /** The same with weights and activations in bfloat16. */
    INFERENCE_BF16,
    /** Nothing is timed: what {@link Parity} compares is computed. */
    PARITY,
    /** The same in double precision, which says how far both are from what they mean. */
    PARITY_F64,
    /** One layer's output. */
    FORWARD,
    /** The gradient of one layer's input; of batch normalisation, also those of its weight and bias. */
    BACKWARD_DATA,
    /** The gradient of one layer's weight. */
    BACKWARD_WEIGHT;

    /** As rows and jobs spell it: {@code training-loader}. */
    public String label() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** The task of that label. */
    public static Task of(String label) {
        return Arrays.stream(values())
                .filter(task -> task.label().equals(label))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException("there is no task '%s'; there are %s"
                        .formatted(
                                label, Arrays.stream(values()).map(Task::label).toList())));
    }

    /** Whether it is about a whole network. */
    public boolean isNetwork() {
        return compareTo(FORWARD) < 0;
    }

    /** Whether results are compared and nothing is timed. */
    public boolean isParity() {
        return this == PARITY || this == PARITY_F64;
    }

    /** Whether weights change. */
    public boolean isTraining() {
        return this == TRAINING || this == TRAINING_NESTEROV || this == TRAINING_LOADER;
    }

    /**
     * Largest difference of outputs between equal computations that round differently, as a share of the largest
     * element. Float32 rounds by 2^-24; sums of thousands of products in another order, or by transforms, and twenty
     * layers of them stay below a thousand times that, and a wrong kernel, weight or layout never does. Bfloat16 rounds
     * every activation by 2^-9, which as many layers raise to a few hundredths.
     */
    public double tolerance() {
        return this == INFERENCE_BF16 ? 0x1p-4 : 1e-4;
    }
}
