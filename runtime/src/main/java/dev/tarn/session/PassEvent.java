package dev.tarn.session;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A pass of a session over a batch, for JDK Flight Recorder. */
@Name("dev.tarn.Pass")
@Label("Pass")
@Category("Tarn")
@Description("A part of a training step, or a run of inference")
@StackTrace(false)
final class PassEvent extends Event {
    private static final PassEvent PROBE = new PassEvent();

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

    /** An event that has begun; null, at no cost, if nobody records. */
    static @Nullable PassEvent start() {
        if (!PROBE.isEnabled()) {
            return null;
        }
        var event = new PassEvent();
        event.begin();
        return event;
    }

    static void end(@Nullable PassEvent event, String pass, long step, long images, int threads) {
        if (event != null) {
            event.pass = pass;
            event.step = step;
            event.images = images;
            event.threads = threads;
            event.commit();
        }
    }
}
