package dev.tarn.bench;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A library that trains or runs networks, as the stop-watch sees it. */
public interface Contender {
    /** One word. */
    String name();

    Set<Task> tasks();

    /** What decides its speed, such as versions and instruction sets; printed with its times. */
    Map<String, String> environment();

    /**
     * Makes everything ready for the first batch.
     *
     * @param weights folder of {@link Workload#weights initial weights}; null leaves them to the contender
     */
    Work open(Workload workload, Task task, int threads, @Nullable Path weights) throws IOException;

    /** A workload that is ready. */
    interface Work extends AutoCloseable {
        /** Does one full batch. */
        void run();

        /** The loss of the last batch; of training, before that batch's update. */
        double loss();

        @Override
        void close();
    }
}
