package dev.tarn.bench;

import java.io.IOException;
import java.util.Map;

/** A library in a process of its own, as {@link Worker} sees it. */
public interface Contender {
    /** What decides its speed, such as versions and instruction sets; loads the library. */
    Map<String, String> environment();

    /** Makes everything ready for the first run. */
    Work open(Job job) throws IOException;

    /** A job that is ready. */
    interface Work extends AutoCloseable {
        /**
         * What is compared with other contenders before any time counts, in logical order: of training, the losses of
         * the first {@link Workload#COMPARED_STEPS} batches; of inference, the logits; of a layer, its result.
         */
        float[] outputs();

        /** Does all of it once. */
        void run();

        /** Bytes that were planned for the job ahead of time, weights included; 0 if nobody plans. */
        default long plannedBytes() {
            return 0;
        }

        /** What the library chose to do, such as an algorithm or a layout. */
        default String form() {
            return "";
        }

        @Override
        void close();
    }
}
