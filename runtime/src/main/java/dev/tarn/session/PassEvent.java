package dev.tarn.session;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/**
 * A pass of a session over a batch, for JDK Flight Recorder. The event itself is a class of its own: once it is loaded, so is the
 * recorder, which takes 80 ms.
 */
final class PassEvent {
    private PassEvent() {}

    @Name("dev.tarn.Pass")
    @Label("Pass")
    @Category("Tarn")
    @Description("A part of a training step, or a run of inference")
    @StackTrace(false)
    static final class Recorded extends Event {
        private static final Recorded PROBE = new Recorded();

        @Label("Pass")
        @Description("forward, backward, update or inference")
        String pass = "";

        @Label("Step")
        @Description("Updates before it; 0 in inference")
        long step;

        @Label("Images")
        long images;

        @Label("Threads")
        int threads;
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

    static void end(@Nullable Recorded event, String pass, long step, long images, int threads) {
        if (event != null) {
            event.pass = pass;
            event.step = step;
            event.images = images;
            event.threads = threads;
            event.commit();
        }
    }
}
