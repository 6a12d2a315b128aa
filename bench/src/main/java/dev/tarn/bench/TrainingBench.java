package dev.tarn.bench;

import java.io.IOException;

/** Images per second of training and inference, end to end; see {@link Options#USAGE}. */
public final class TrainingBench {
    private TrainingBench() {}

    public static void main(String[] arguments) throws IOException {
        Throughput.main(new TarnContender(), arguments);
    }
}
