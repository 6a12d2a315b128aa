package dev.tarn.bench.kernels;

import dev.tarn.bench.Direction;
import dev.tarn.bench.LayerData;
import dev.tarn.bench.LayerShape;
import dev.tarn.ffm.kernels.Level;
import dev.tarn.kernel.BoundKernel;
import dev.tarn.kernel.KernelCall;
import dev.tarn.kernel.Kernels;
import dev.tarn.kernel.PlannedKernel;
import dev.tarn.kernel.Team;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.Function;

/** One direction of a layer with its memory, by our kernels, ready to run with a team of threads. */
public final class LayerCase implements AutoCloseable {
    private final OwnedMemory memory = OwnedMemory.open("layer benchmark");
    private final LayerShape shape;
    private final Direction direction;
    private final Tensor input;
    private final Tensor weight;
    private final Tensor output; // of backward directions, the output's gradient
    private final Team team;
    private final BoundKernel kernel;

    public LayerCase(LayerShape shape, Direction direction, Level level, int threads) {
        this.shape = shape;
        this.direction = direction;
        LayerData data = new LayerData(shape);
        input = tensor(shape.input(), Layout.CHANNELS_LAST);
        weight = tensor(shape.weight(), Layout.WEIGHT);
        output = tensor(shape.output(), Layout.CHANNELS_LAST);
        input.copyFrom(data.input());
        weight.copyFrom(data.weight());
        output.copyFrom(data.gradOutput());
        team = new Team(threads);
        kernel = switch (shape.op()) {
            case CONV -> bind(convolution(), level);
            case MAXPOOL -> pooling(level);
            case BATCHNORM -> normalisation(level);
        };
    }

    /** All phases, as a training step runs them. */
    public void run() {
        team.run(kernel);
    }

    /** What one run gives, in logical order; of batch normalisation's backward, the input's gradient. */
    public float[] result() {
        if (direction == Direction.BACKWARD_WEIGHT) {
            weight.data().fill((byte) 0); // gradients of weights accumulate
        }
        run();
        return switch (direction) {
            case FORWARD -> output.toArray();
            case BACKWARD_DATA -> input.toArray();
            case BACKWARD_WEIGHT -> weight.toArray();
        };
    }

    /** The variant that was chosen. */
    public String variant() {
        return kernel.name();
    }

    private Tensor tensor(Shape of, Layout layout) {
        return Tensor.view(memory.allocate(of.elementCount() * Float.BYTES), DType.F32, of, layout);
    }

    private MemorySegment channels() {
        return memory.allocate(shape.oc() * Float.BYTES);
    }

    private KernelCall<MemorySegment> convolution() {
        String op = switch (direction) {
            case FORWARD -> "conv2d_forward";
            case BACKWARD_DATA -> "conv2d_backward_data";
            case BACKWARD_WEIGHT -> "conv2d_backward_weight";
        };
        return windowed(KernelCall.of(op, DType.F32))
                .set("ic", shape.ic())
                .set("oc", shape.oc())
                .set("groups", shape.groups())
                .set(direction == Direction.BACKWARD_DATA ? "grad_input" : "input", input.data())
                .set(direction == Direction.BACKWARD_WEIGHT ? "grad_weight" : "weight", weight.data())
                .set(direction == Direction.FORWARD ? "output" : "grad_output", output.data());
    }

    private KernelCall<MemorySegment> windowed(KernelCall<MemorySegment> call) {
        return call.set("h", shape.size())
                .set("w", shape.size())
                .set("oh", shape.outputSize())
                .set("ow", shape.outputSize())
                .set("kh", shape.kernel())
                .set("kw", shape.kernel())
                .set("sh", shape.stride())
                .set("sw", shape.stride())
                .set("pt", shape.padding())
                .set("pl", shape.padding())
                .set("dh", 1)
                .set("dw", 1);
    }

    /** Backward needs the winners that forward finds. */
    private BoundKernel pooling(Level level) {
        MemorySegment index = memory.allocate(shape.output().elementCount());
        MemorySegment pooled = direction == Direction.FORWARD
                ? output.data()
                : memory.allocate(shape.output().elementCount() * Float.BYTES);
        BoundKernel forward = bind(
                windowed(KernelCall.of("maxpool2d_forward", DType.F32))
                        .set("c", shape.ic())
                        .set("input", input.data())
                        .set("output", pooled)
                        .set("index", index),
                level);
        if (direction == Direction.FORWARD) {
            return forward;
        }
        team.run(forward);
        return bind(
                windowed(KernelCall.of("maxpool2d_backward", DType.F32))
                        .set("c", shape.ic())
                        .set("grad_output", output.data())
                        .set("index", index)
                        .set("grad_input", input.data()),
                level);
    }

    /** Backward needs the statistics that forward finds, and the input beside its gradient. */
    private BoundKernel normalisation(Level level) {
        MemorySegment mean = channels();
        MemorySegment inverse = channels();
        MemorySegment normalised = direction == Direction.FORWARD
                ? output.data()
                : memory.allocate(shape.output().elementCount() * Float.BYTES);
        BoundKernel forward = bind(
                normalisation("batchnorm_forward", input.data())
                        .set("keep", 0.9)
                        .set("bias", channels())
                        .set("running_mean", channels())
                        .set("running_var", channels())
                        .set("mean", mean)
                        .set("inv_std", inverse)
                        .set("output", normalised),
                level);
        if (direction == Direction.FORWARD) {
            return forward;
        }
        team.run(forward);
        MemorySegment copy = memory.allocate(input.byteSize());
        MemorySegment.copy(input.data(), 0, copy, 0, input.byteSize());
        return bind(
                normalisation("batchnorm_backward", copy)
                        .set("mean", mean)
                        .set("inv_std", inverse)
                        .set("grad_output", output.data())
                        .set("grad_input", input.data())
                        .set("grad_weight", channels())
                        .set("grad_bias", channels()),
                level);
    }

    private KernelCall<MemorySegment> normalisation(String op, MemorySegment images) {
        return KernelCall.<MemorySegment>of(op, DType.F32)
                .set("hw", shape.size() * shape.size())
                .set("c", shape.ic())
                .set("eps", LayerData.EPS)
                .set("input", images)
                .set("weight", weight.data());
    }

    private BoundKernel bind(KernelCall<MemorySegment> call, Level level) {
        PlannedKernel<MemorySegment> planned = Kernels.plan(call, shape.n(), level);
        MemorySegment[] scratch = new MemorySegment[team.threads()];
        for (int i = 0; i < scratch.length; i++) {
            scratch[i] = memory.allocate(planned.scratchBytes());
        }
        BoundKernel bound = planned.bind(
                memory.allocate(planned.argumentBytes(team.threads())),
                team.threads(),
                Function.identity(),
                memory.allocate(planned.sharedBytes()),
                scratch);
        bound.setBatch(shape.n());
        return bound;
    }

    @Override
    public void close() {
        team.close();
        memory.close();
    }
}
