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
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.function.Function;

/**
 * One direction of a convolution with its memory, ready to run, after its first image was compared with the reference
 * kernel.
 */
final class ConvCase implements AutoCloseable {
    /** Against the result's largest element; rounding stays a hundred times below, a wrong kernel does not. */
    private static final double TOLERANCE = 1e-4;

    private final OwnedMemory memory = OwnedMemory.open("convolution benchmark");
    private final Random random = new Random(1);
    private final ConvShape shape;
    private final Direction direction;
    private final MemorySegment input;
    private final MemorySegment weight;
    private final MemorySegment output;
    private final Team team;
    private final BoundKernel kernel;

    ConvCase(ConvShape shape, Direction direction, Level level, int threads) {
        this.shape = shape;
        this.direction = direction;
        input = operand(shape.inputCount());
        weight = operand(shape.weightCount());
        output = operand(shape.outputCount());
        team = new Team(threads);
        kernel = bind(level, shape.n());
        requireEqualToReference();
        kernel.setBatch(shape.n());
    }

    /** All phases, as a training step runs them. */
    void run() {
        team.run(kernel);
    }

    private MemorySegment operand(long count) {
        MemorySegment segment = memory.allocate(count * Float.BYTES);
        for (long i = 0; i < count; i++) {
            segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextGaussian());
        }
        return segment;
    }

    private BoundKernel bind(Level level, long n) {
        var call = KernelCall.<MemorySegment>of(direction.op, DType.F32)
                .set("h", shape.size())
                .set("w", shape.size())
                .set("ic", shape.ic())
                .set("oh", shape.outputSize())
                .set("ow", shape.outputSize())
                .set("oc", shape.oc())
                .set("kh", shape.kernel())
                .set("kw", shape.kernel())
                .set("sh", shape.stride())
                .set("sw", shape.stride())
                .set("pt", shape.padding())
                .set("pl", shape.padding())
                .set("dh", 1)
                .set("dw", 1)
                .set("groups", shape.groups())
                .set(direction.inputField, input)
                .set(direction.weightField, weight)
                .set(direction.outputField, output);
        PlannedKernel<MemorySegment> planned = Kernels.plan(call, n, level);
        MemorySegment[] scratch = new MemorySegment[team.threads()];
        for (int i = 0; i < scratch.length; i++) {
            scratch[i] = memory.allocate(planned.scratchBytes());
        }
        return planned.bind(
                memory.allocate(planned.argumentBytes(team.threads())),
                team.threads(),
                Function.identity(),
                memory.allocate(planned.sharedBytes()),
                scratch);
    }

    /** One image suffices: kernels treat all alike, and the reference takes its time. */
    private void requireEqualToReference() {
        float[] expected = resultOfOneImage(bind(Level.REF, 1));
        float[] actual = resultOfOneImage(kernel);
        float largest = 0;
        float difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
        }
        if (!(difference <= TOLERANCE * largest)) {
            throw new IllegalStateException("%s differs from the reference by %g of at most %g on %s"
                    .formatted(kernel.name(), difference, largest, shape));
        }
    }

    private float[] resultOfOneImage(BoundKernel bound) {
        MemorySegment result = switch (direction) {
            case FORWARD -> output.asSlice(0, output.byteSize() / shape.n());
            case BACKWARD_DATA -> input.asSlice(0, input.byteSize() / shape.n());
            case BACKWARD_WEIGHT -> weight;
        };
        result.fill((byte) 0); // gradients of weights accumulate
        bound.setBatch(1);
        team.run(bound);
        return result.toArray(ValueLayout.JAVA_FLOAT);
    }

    @Override
    public void close() {
        team.close();
        memory.close();
    }
}
