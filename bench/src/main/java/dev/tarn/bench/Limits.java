package dev.tarn.bench;

import dev.tarn.kernel.BoundKernel;
import dev.tarn.kernel.KernelCall;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.Machine;
import dev.tarn.kernel.PlannedKernel;
import dev.tarn.kernel.Team;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.session.SessionOptions;
import dev.tarn.session.Summary;
import dev.tarn.tensor.DType;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/**
 * What this machine can do at most, measured by native loops in the same run.
 *
 * @param flops multiplications and additions a second, float32 multiply-adds on registers
 * @param bytes a second of a sum of two arrays into a third, of which each is larger than any cache
 */
public record Limits(double flops, double bytes) {
    private static final long ELEMENTS = 32L << 20; // 128 MiB
    private static final int OPERANDS = 3;
    private static final int RUNS = 12;

    public static Limits measure(int threads) {
        return new Limits(Machine.peak(threads), bandwidth(threads));
    }

    private static double bandwidth(int threads) {
        try (OwnedMemory memory = OwnedMemory.open("bandwidth");
                Team team = new Team(threads)) {
            long size = ELEMENTS * Float.BYTES;
            KernelCall<MemorySegment> call = KernelCall.<MemorySegment>of("add", DType.F32)
                    .set("count", ELEMENTS)
                    .set("a", memory.allocate(size))
                    .set("b", memory.allocate(size))
                    .set("out", memory.allocate(size));
            PlannedKernel<MemorySegment> planned = Kernels.plan(call, 1);
            BoundKernel kernel = planned.bind(
                    memory.allocate(planned.argumentBytes(threads)),
                    threads,
                    Function.identity(),
                    MemorySegment.NULL,
                    new MemorySegment[threads]);
            kernel.setBatch(1);
            long best = Long.MAX_VALUE;
            for (int run = 0; run < RUNS; run++) {
                long start = System.nanoTime();
                team.run(kernel);
                best = Math.min(best, System.nanoTime() - start);
            }
            return (double) OPERANDS * size / best * 1e9;
        }
    }

    /**
     * Images per second that a row cannot exceed by direct computation, NaN where that is no question of speed. Of a
     * network only the arithmetic counts, of a layer also its memory. Transforms such as Winograd's save
     * multiplications and may pass it.
     */
    double imagesPerSecond(Row row) {
        if (row.measure() != Measure.RATE && row.measure() != Measure.THREADS) {
            return Double.NaN;
        }
        if (row.task().isNetwork()) {
            return flops / flopsPerImage(row);
        }
        LayerShape shape = LayerShape.find(LayerShape.LAYERS, row.subject());
        double memory = bytes / (shape.bytes(Direction.of(row.task())) / shape.n());
        return Math.min(memory, flops / shape.flopsPerImage());
    }

    private static double flopsPerImage(Row row) {
        var workload = new Workload(row.subject(), row.batch());
        Summary summary = row.task().isTraining()
                ? Summary.ofTraining(
                        workload.layer(),
                        workload.input(),
                        new CrossEntropyLoss(),
                        new SGD().momentum(Workload.MOMENTUM),
                        SessionOptions.DEFAULT)
                : Summary.ofInference(workload.layer(), workload.input(), SessionOptions.DEFAULT);
        return (double) summary.flops() / row.batch();
    }

    @Override
    public String toString() {
        return "%s GFLOP/s, %s GB/s".formatted(Spread.text(flops / 1e9), Spread.text(bytes / 1e9));
    }
}
