package dev.tarn.bench.peers;

import dev.tarn.bench.Contender;
import dev.tarn.bench.Task;
import dev.tarn.bench.Workload;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** PyTorch's C++ library, eager, channels last, with its own optimiser. */
final class LibtorchContender implements Contender {
    /** What matters of libtorch's long report on itself. */
    private static final Pattern CONFIG =
            Pattern.compile("TORCH_VERSION=[^,]*|MKL-DNN v[0-9.]*|CPU capability usage: \\w*|BLAS_INFO=\\w*");

    @Override
    public String name() {
        return "libtorch";
    }

    @Override
    public Set<Task> tasks() {
        return EnumSet.of(Task.TRAINING);
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
    public Work open(Workload workload, Task task, int threads, @Nullable Path weights) throws IOException {
        if (weights == null) {
            throw new IllegalArgumentException("libtorch starts from given weights: name their folder with --weights");
        }
        torch.set_num_threads(threads);
        return new Training(workload, new LibtorchWeights(workload.weights(weights)));
    }

    private static final class Training implements Work {
        private final LibtorchNetworks.Network network;
        private final Tensor images;
        private final Tensor labels;
        private final SGD optimizer;
        private double loss;

        Training(Workload workload, LibtorchWeights weights) {
            network = LibtorchNetworks.of(workload.model(), weights);
            images = Tensor.create(workload.images(), workload.input().toArray())
                    .contiguous(torch.MemoryFormat.ChannelsLast);
            labels = Tensor.create(
                    Arrays.stream(workload.labels()).asLongStream().toArray(), workload.batch());
            SGDOptions options = new SGDOptions(Workload.LEARNING_RATE);
            options.momentum().put(Workload.MOMENTUM);
            optimizer = new SGD(weights.learned(), options);
        }

        /** The scope frees the step's tensors at once, as they would be in C++. */
        @Override
        @SuppressWarnings("try") // the scope acts by being open
        public void run() {
            try (PointerScope scope = new PointerScope()) {
                optimizer.zero_grad();
                Tensor value = torch.cross_entropy_loss(network.forward(images), labels);
                value.backward();
                optimizer.step();
                loss = value.item_float();
            }
        }

        @Override
        public double loss() {
            return loss;
        }

        /** Nothing: the process ends with its only workload. */
        @Override
        public void close() {}
    }
}
