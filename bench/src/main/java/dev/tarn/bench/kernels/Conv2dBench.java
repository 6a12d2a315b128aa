package dev.tarn.bench.kernels;

import dev.tarn.ffm.kernels.Level;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Our convolutions, with a team of threads; parameters come from {@link KernelBench}. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the fields
public class Conv2dBench {
    @Param({})
    public String shape;

    @Param
    public Direction direction;

    @Param({})
    public Level level;

    @Param({})
    public int threads;

    private ConvCase work;

    @Setup
    public void open() {
        work = new ConvCase(ConvShape.find(shape), direction, level, threads);
    }

    @Benchmark
    public void run() {
        work.run();
    }

    @TearDown
    public void close() {
        work.close();
    }
}
