package dev.tarn.io;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** A checkpoint or weights on their way to the disk, for JDK Flight Recorder. */
@Name("dev.tarn.Write")
@Label("Write")
@Category("Tarn")
@Description("A checkpoint or weights are written and forced to the disk")
@StackTrace(false)
final class WriteEvent extends Event {
    @Label("File")
    String file = "";

    @Label("Bytes")
    @DataAmount
    long bytes;
}
