package dev.tarn.io;

import java.nio.file.Path;
import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint or weights on their way to the disk, for JDK Flight Recorder. The event itself is a class of its own: once it is
 * loaded, so is the recorder, which takes 80 ms.
 */
final class WriteEvent {
    private WriteEvent() {}

    @Name("dev.tarn.Write")
    @Label("Write")
    @Category("Tarn")
    @Description("A checkpoint or weights are written and forced to the disk")
    @StackTrace(false)
    static final class Recorded extends Event {
        @Label("File")
        String file = "";

        @Label("Bytes")
        @DataAmount
        long bytes;
    }

    /** An event that has begun; null if nobody records. */
    static @Nullable Recorded start() {
        if (!FlightRecorder.isInitialized()) {
            return null;
        }
        var event = new Recorded();
        event.begin();
        return event;
    }

    static void end(@Nullable Recorded event, Path file) {
        if (event != null) {
            event.file = file.toString();
            event.commit();
        }
    }
}
