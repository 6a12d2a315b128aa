package dev.tarn.bench.peers;

import dev.tarn.bench.Contender.Work;
import dev.tarn.bench.Direction;
import dev.tarn.bench.Job;
import dev.tarn.bench.LayerData;
import dev.tarn.bench.LayerShape;
import org.bytedeco.javacpp.BoolPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.InferenceMode;
import org.bytedeco.pytorch.LongArrayRefOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;

/** One direction of a layer by the functions that libtorch's autograd calls. */
final class LibtorchLayer implements Work {
    private static final TensorOptional NONE = new TensorOptional();
    private static final double MOMENTUM = 0.1;
    private static final long[] ONE = {1, 1};
    private static final long[] ZERO = {0, 0};

    /** What is timed. */
    private interface Call {
        Tensor result();
    }

    private final InferenceMode mode = new InferenceMode();
    private final LayerShape shape;
    private final Direction direction;
    private final Tensor input;
    private final Tensor weight;
    private final Tensor gradOutput;
    private final long[] kernel;
    private final long[] stride;
    private final long[] padding;
    private final Call call;

    LibtorchLayer(Job job) {
        shape = LayerShape.find(LayerShape.LAYERS, job.subject());
        direction = Direction.valueOf(job.task().name());
        LayerData data = new LayerData(shape);
        input = LibtorchContender.tensor(data.input(), shape.input().toArray());
        weight = LibtorchContender.tensor(data.weight(), shape.weight().toArray());
        gradOutput = LibtorchContender.tensor(data.gradOutput(), shape.output().toArray());
        kernel = new long[] {shape.kernel(), shape.kernel()};
        stride = new long[] {shape.stride(), shape.stride()};
        padding = new long[] {shape.padding(), shape.padding()};
        call = switch (shape.op()) {
            case CONV -> convolution();
            case MAXPOOL -> pooling();
            case BATCHNORM -> normalisation();
        };
    }

    private Call convolution() {
        if (direction == Direction.FORWARD) {
            return () -> torch.conv2d(input, weight, NONE, stride, padding, ONE, shape.groups());
        }
        boolean data = direction == Direction.BACKWARD_DATA;
        BoolPointer wanted = wanted(data, !data, false);
        LongArrayRefOptional noBias = new LongArrayRefOptional();
        return () -> {
            var gradients = torch.convolution_backward(
                    gradOutput,
                    input,
                    weight,
                    noBias,
                    stride,
                    padding,
                    ONE,
                    false,
                    ZERO,
                    shape.groups(),
                    wanted);
            return data ? gradients.get0() : gradients.get1();
        };
    }

    private static BoolPointer wanted(boolean input, boolean learned, boolean bias) {
        return new BoolPointer(3).put(0, input).put(1, learned).put(2, bias);
    }

    private Call pooling() {
        if (direction == Direction.FORWARD) {
            return () -> torch.max_pool2d_with_indices(input, kernel, stride, padding, ONE, false)
                    .get0();
        }
        Tensor index = torch.max_pool2d_with_indices(input, kernel, stride, padding, ONE, false)
                .get1();
        return () ->
                torch.max_pool2d_with_indices_backward(gradOutput, input, kernel, stride, padding, ONE, false, index);
    }

    private Call normalisation() {
        Tensor bias = torch.zeros(shape.oc());
        TensorOptional mean = new TensorOptional(torch.zeros(shape.oc()));
        TensorOptional variance = new TensorOptional(torch.ones(shape.oc()));
        TensorOptional scale = new TensorOptional(weight);
        TensorOptional shift = new TensorOptional(bias);
        if (direction == Direction.FORWARD) {
            return () -> torch.native_batch_norm(input, scale, shift, mean, variance, true, MOMENTUM, LayerData.EPS)
                    .get0();
        }
        var forward = torch.native_batch_norm(input, scale, shift, mean, variance, true, MOMENTUM, LayerData.EPS);
        TensorOptional saved = new TensorOptional(forward.get1());
        TensorOptional inverse = new TensorOptional(forward.get2());
        BoolPointer wanted = wanted(true, true, true);
        return () -> torch.native_batch_norm_backward(
                        gradOutput, input, scale, mean, variance, saved, inverse, true, LayerData.EPS, wanted)
                .get0();
    }

    @Override
    @SuppressWarnings("try") // the scope acts by being open
    public void run() {
        try (PointerScope scope = new PointerScope()) {
            call.result();
        }
    }

    @Override
    public float[] outputs() {
        return LibtorchContender.values(call.result());
    }

    @Override
    public void close() {
        mode.close();
    }
}
