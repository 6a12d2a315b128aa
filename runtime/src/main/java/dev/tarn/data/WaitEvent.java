package dev.tarn.data;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/** A batch that was not ready when it was asked for, for JDK Flight Recorder. */
@Name("dev.tarn.LoaderWait")
@Label("Loader Wait")
@Category("Tarn")
@Description("The consumer of a data loader waits for a batch")
@StackTrace(false)
final class WaitEvent extends Event {
    private static final WaitEvent PROBE = new WaitEvent();

    @Label("Epoch")
    @Description("Counted from 0")
    long epoch;

    @Label("Batch")
    long batch;

    /** An event that has begun; null, at no cost, if nobody records. */
    static @Nullable WaitEvent start() {
        if (!PROBE.isEnabled()) {
            return null;
        }
        var event = new WaitEvent();
        event.begin();
        return event;
    }

    static void end(@Nullable WaitEvent event, long epoch, long batch) {
        if (event != null) {
            event.epoch = epoch;
            event.batch = batch;
            event.commit();
        }
    }
}
