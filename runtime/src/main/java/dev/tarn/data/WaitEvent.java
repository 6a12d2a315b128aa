package dev.tarn.data;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/**
 * A batch that was not ready when it was asked for, for JDK Flight Recorder. The event itself is a class of its own: once it is
 * loaded, so is the recorder, which takes 80 ms.
 */
final class WaitEvent {
    private WaitEvent() {}

    @Name("dev.tarn.LoaderWait")
    @Label("Loader Wait")
    @Category("Tarn")
    @Description("The consumer of a data loader waits for a batch")
    @StackTrace(false)
    static final class Recorded extends Event {
        private static final Recorded PROBE = new Recorded();

        @Label("Epoch")
        @Description("Counted from 0")
        long epoch;

        @Label("Batch")
        long batch;
    }

    /** An event that has begun; null, at no cost, if nobody records. */
    static @Nullable Recorded start() {
        if (!FlightRecorder.isInitialized() || !Recorded.PROBE.isEnabled()) {
            return null;
        }
        var event = new Recorded();
        event.begin();
        return event;
    }

    static void end(@Nullable Recorded event, long epoch, long batch) {
        if (event != null) {
            event.epoch = epoch;
            event.batch = batch;
            event.commit();
        }
    }
}
