package dev.tarn.bench.kernels;

import dev.tarn.ffm.kernels.Level;
import dev.tarn.kernel.BoundKernel;
import dev.tarn.kernel.KernelCall;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.PlannedKernel;
import dev.tarn.kernel.Team;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Kernels that only pass over memory: activations, sums, the optimizer's update. */
@State(Scope.Benchmark)
@SuppressWarnings("NullAway.Init") // JMH fills the fields
public class PassBench {
    /** Elements of each operand: 64 MiB, larger than most caches. */
    static final long COUNT = 16L << 20;

    /** A pass, with the arrays that it reads and writes. */
    public enum Pass {
        ACTIVATION_FORWARD(2),
        ACTIVATION_BACKWARD(3),
        ADD(3),
        MOMENTUM_UPDATE(6),
        ADAM_UPDATE(8);

        final int arrays;

        Pass(int arrays) {
            this.arrays = arrays;
        }
    }

    @Param({})
    public Pass pass;

    @Param({})
    public Level level;

    @Param({})
    public int threads;

    private OwnedMemory memory;
    private Team team;
    private BoundKernel kernel;

    @Setup
    public void open() {
        memory = OwnedMemory.open("pass benchmark");
        team = new Team(threads);
        KernelCall<MemorySegment> call = KernelCall.<MemorySegment>of(
                        pass.name().toLowerCase(java.util.Locale.ROOT), DType.F32)
                .set("count", COUNT);
        if (pass == Pass.MOMENTUM_UPDATE || pass == Pass.ADAM_UPDATE) {
            call.once()
                    .set("momentum", 0.9)
                    .set("rate_factor", 1.0)
                    .set("rate", memory.allocate(Double.BYTES))
                    .set("step", memory.allocate(Long.BYTES))
                    .set("param", array())
                    .set("grad", array())
                    .set("velocity", array())
                    .set("squares", pass == Pass.ADAM_UPDATE ? array() : null);
        } else {
            call.set("activation", pass == Pass.ADD ? 0 : 1)
                    .set("a", array())
                    .set("b", pass == Pass.ACTIVATION_FORWARD ? null : array())
                    .set("out", array());
        }
        PlannedKernel<MemorySegment> planned = Kernels.plan(call, 1, level);
        kernel = planned.bind(
                memory.allocate(planned.argumentBytes(threads)),
                threads,
                Function.identity(),
                MemorySegment.NULL,
                new MemorySegment[threads]);
        kernel.setBatch(1);
    }

    private MemorySegment array() {
        return memory.allocate(COUNT * Float.BYTES);
    }

    @Benchmark
    public void run() {
        team.run(kernel);
    }

    @TearDown
    public void close() {
        team.close();
        memory.close();
    }
}
