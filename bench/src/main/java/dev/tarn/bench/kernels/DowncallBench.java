package dev.tarn.bench.kernels;

import dev.tarn.ffm.kernels.Level;
import dev.tarn.ffm.kernels.NativeVariant;
import dev.tarn.ffm.kernels.TarnLibrary;
import dev.tarn.kernel.Kernels;
import dev.tarn.tensor.DType;
import java.lang.foreign.MemorySegment;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** What it costs to call a kernel from Java: an empty range of tasks, so that only the way there and back is left. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the fields
public class DowncallBench {
    private TarnLibrary library;
    private MemorySegment kernel;

    @Setup
    public void open() {
        library = TarnLibrary.get();
        NativeVariant variant =
                Kernels.variants("fma_chains", DType.F32, Level.REF).getFirst();
        kernel = variant.phases().getFirst();
    }

    @Benchmark
    public int run() {
        return library.run(kernel, MemorySegment.NULL, 0, 0);
    }
}
