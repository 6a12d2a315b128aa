package dev.tarn.bench.peers;

import dev.tarn.bench.Contender;
import dev.tarn.bench.Job;
import dev.tarn.bench.Task;
import dev.tarn.bench.Worker;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;

/** PyTorch's C++ library: training eager, inference in frozen TorchScript, layers by its functions; channels last. */
public final class LibtorchContender implements Contender {
    /** What matters of libtorch's long report on itself. */
    private static final Pattern CONFIG =
            Pattern.compile("TORCH_VERSION=[^,]*|MKL-DNN v[0-9.]*|CPU capability usage: \\w*|BLAS_INFO=\\w*");

    private static final int IMAGE_RANK = 4;

    private LibtorchContender() {}

    public static void main(String[] arguments) throws IOException {
        Worker.main(new LibtorchContender(), arguments);
    }

    @Override
    public Map<String, String> environment() {
        String config = torch.show_config().getString();
        return Map.of(
                "libtorch",
                String.join(
                        ", ",
                        CONFIG.matcher(config).results().map(MatchResult::group).toList()));
    }

    @Override
    public Work open(Job job) throws IOException {
        torch.set_num_threads(job.threads());
        return switch (job.task()) {
            case TRAINING -> new LibtorchTraining(job, torch.ScalarType.Float);
            case TRAINING_F64 -> new LibtorchTraining(job, torch.ScalarType.Double);
            case INFERENCE -> new LibtorchInference(job, torch.ScalarType.Float);
            case INFERENCE_BF16 -> new LibtorchInference(job, torch.ScalarType.BFloat16);
            case FORWARD, BACKWARD_DATA, BACKWARD_WEIGHT -> new LibtorchLayer(job);
            case TRAINING_NESTEROV, TRAINING_LOADER, PARITY, PARITY_F64 ->
                throw new IllegalArgumentException("nothing is timed here of " + job);
        };
    }

    @Override
    public Map<String, dev.tarn.tensor.Tensor> parity(Job job) throws IOException {
        torch.set_num_threads(job.threads());
        boolean referee = job.task() == Task.PARITY_F64;
        return new LibtorchTraining(job, referee ? torch.ScalarType.Double : torch.ScalarType.Float).parity();
    }

    /** A tensor with a copy of the values, images channels last. */
    static Tensor tensor(float[] values, long... shape) {
        return tensor(FloatBuffer.wrap(values), shape);
    }

    /** As above, of values that may be more than the heap has room for. */
    static Tensor tensor(FloatBuffer values, long... shape) {
        Tensor tensor = torch.empty(shape);
        tensor.data_ptr_float().capacity(tensor.numel()).asBuffer().put(values);
        return shape.length == IMAGE_RANK ? tensor.contiguous(torch.MemoryFormat.ChannelsLast) : tensor;
    }

    /** The values in logical order. */
    static float[] values(Tensor tensor) {
        float[] values = new float[Math.toIntExact(tensor.numel())];
        tensor.detach().to(torch.ScalarType.Float).contiguous().data_ptr_float().get(values);
        return values;
    }
}
