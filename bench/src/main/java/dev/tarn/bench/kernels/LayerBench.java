package dev.tarn.bench.kernels;

import dev.tarn.bench.Direction;
import dev.tarn.bench.LayerShape;
import dev.tarn.ffm.kernels.Level;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Our kernels on a layer, with a team of threads; parameters come from {@link KernelBench}. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the fields
public class LayerBench {
    @Param({})
    public String list;

    @Param({})
    public String layer;

    @Param({})
    public Direction direction;

    @Param({})
    public Level level;

    @Param({})
    public int threads;

    private LayerCase work;

    /** One image suffices to compare with the reference: kernels treat all alike, and the reference takes its time. */
    @Setup
    public void open() {
        LayerShape shape = LayerShape.find(list, layer);
        try (var actual = new LayerCase(shape.withImages(1), direction, level, threads);
                var expected = new LayerCase(shape.withImages(1), direction, Level.REF, 1)) {
            Results.requireEqual(expected.result(), actual.result(), actual.variant());
        }
        work = new LayerCase(shape, direction, level, threads);
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
