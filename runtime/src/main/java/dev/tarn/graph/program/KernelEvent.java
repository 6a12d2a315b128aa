package dev.tarn.graph.program;

import jdk.jfr.Category;
import jdk.jfr.DataAmount;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;

/** One step of a program, for JDK Flight Recorder. */
@Name("dev.tarn.Kernel")
@Label("Kernel")
@Category("Tarn")
@Description("One kernel of a layer, all its phases together")
@StackTrace(false)
final class KernelEvent extends Event {
    private static final KernelEvent PROBE = new KernelEvent();

    @Label("Layer")
    String layer = "";

    @Label("Kernel")
    String kernel = "";

    @Label("Pass")
    @Description("forward, backward or inference")
    String pass = "";

    @Label("Images")
    long images;

    @Label("FLOPs")
    @Description("Multiplications and additions by the direct definition")
    long flops;

    @Label("Bytes")
    @Description("Operands, each read or written once: the least that is moved")
    @DataAmount
    long bytes;

    /** Whether somebody records; asking costs and allocates nothing. */
    static boolean isRecorded() {
        return PROBE.isEnabled();
    }
}
