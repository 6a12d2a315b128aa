package dev.tarn.bench.peers;

import dev.tarn.bench.Contender.Work;
import dev.tarn.bench.Job;
import dev.tarn.bench.Network;
import dev.tarn.bench.Network.Op;
import dev.tarn.bench.Network.Step;
import dev.tarn.bench.Parity;
import dev.tarn.bench.Weights;
import dev.tarn.bench.Workload;
import dev.tarn.graph.Window;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.LongOptional;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.jspecify.annotations.Nullable;

/** Training steps in libtorch: eager functions, its autograd and its SGD. */
final class LibtorchTraining implements Work {
    private static final TensorOptional NONE = new TensorOptional();
    private static final double BATCH_NORM_MOMENTUM = 0.1;
    private static final long[] ONE = {1, 1};

    private final Network network;
    private final Map<String, Tensor> parameters = new HashMap<>();
    private final Map<String, TensorOptional> optionals = new HashMap<>();
    private final Tensor images;
    private final Tensor labels;
    private final SGD optimizer;
    private double loss;

    LibtorchTraining(Job job, torch.ScalarType type) throws IOException {
        Workload workload = Workload.of(job);
        Weights weights = Weights.read(job.weights());
        network = Network.of(workload);
        TensorVector learned = new TensorVector();
        weights.arrays().forEach((name, array) -> {
            Tensor tensor = LibtorchContender.tensor(array.buffer().get(), array.shape())
                    .to(type);
            if (!Weights.isStatistic(name)) {
                tensor.requires_grad_(true);
                learned.push_back(tensor);
            }
            parameters.put(name, tensor);
            optionals.put(name, new TensorOptional(tensor));
        });
        images = LibtorchContender.tensor(workload.images(), workload.input().toArray())
                .to(type);
        labels = Tensor.create(Arrays.stream(workload.labels()).asLongStream().toArray(), workload.batch());
        SGDOptions options = new SGDOptions(Workload.LEARNING_RATE);
        options.momentum().put(Workload.MOMENTUM);
        optimizer = new SGD(learned, options);
    }

    /** The scope frees the step's tensors at once, as they would be in C++. */
    @Override
    @SuppressWarnings("try") // the scope acts by being open
    public void run() {
        try (PointerScope scope = new PointerScope()) {
            optimizer.zero_grad();
            Tensor value = torch.cross_entropy_loss(forward(), labels);
            value.backward();
            optimizer.step();
            loss = value.item_double();
        }
    }

    @Override
    public float[] outputs() {
        float[] losses = new float[Workload.COMPARED_STEPS];
        for (int i = 0; i < losses.length; i++) {
            run();
            losses[i] = (float) loss;
        }
        return losses;
    }

    /** What {@link Parity} compares. */
    Map<String, dev.tarn.tensor.Tensor> parity() {
        Map<String, dev.tarn.tensor.Tensor> results = new LinkedHashMap<>();
        Map<String, float[]> before = new LinkedHashMap<>();
        parameters.forEach((name, tensor) -> before.put(name, LibtorchContender.values(tensor)));
        Tensor logits = forward();
        Tensor value = torch.cross_entropy_loss(logits, labels);
        value.backward();
        results.put(Parity.LOSS, Parity.result((float) value.item_double()));
        results.put(Parity.LOGITS, Parity.result(LibtorchContender.values(logits)));
        parameters.forEach((name, tensor) -> {
            if (!Weights.isStatistic(name)) {
                results.put(Parity.GRADIENT + name, Parity.result(LibtorchContender.values(tensor.grad())));
            }
        });
        optimizer.step();
        float[] losses = new float[Parity.STEPS];
        for (int i = 0; i < losses.length; i++) {
            run();
            losses[i] = (float) loss;
        }
        results.put(Parity.LOSSES, Parity.result(losses));
        before.forEach((name, old) -> results.put(
                Parity.CHANGE + name,
                Parity.change(old, LibtorchContender.values(Objects.requireNonNull(parameters.get(name))))));
        return results;
    }

    /** From images to logits, in training mode. */
    private Tensor forward() {
        Map<String, Tensor> values = new HashMap<>();
        values.put(Network.IMAGES, images);
        Tensor last = images;
        for (Step step : network.steps()) {
            last = apply(step, values);
            values.put(step.output(), last);
        }
        return last;
    }

    private Tensor apply(Step step, Map<String, Tensor> values) {
        Tensor x = Objects.requireNonNull(values.get(step.input()));
        return switch (step.op()) {
            case CONV -> {
                Window window = Objects.requireNonNull(step.window());
                yield torch.conv2d(
                        x,
                        parameter(step, 0),
                        optional(step, 1),
                        strides(window),
                        paddings(window),
                        ONE,
                        step.groups());
            }
            case LINEAR -> torch.linear(x, parameter(step, 0), optional(step, 1));
            case BATCH_NORM ->
                torch.batch_norm(
                        x,
                        optional(step, 0),
                        optional(step, 1),
                        optional(step, 2),
                        optional(step, 3),
                        true,
                        BATCH_NORM_MOMENTUM,
                        step.eps(),
                        false);
            case RELU -> network.readers(step.input()) == 1 ? x.relu_() : x.relu();
            case RELU6 -> network.readers(step.input()) == 1 ? torch.relu6_(x) : torch.relu6(x);
            case ADD -> add(step, values);
            case CONCAT -> {
                TensorVector parts = new TensorVector();
                step.inputs().forEach(name -> parts.push_back(Objects.requireNonNull(values.get(name))));
                yield torch.cat(parts, 1);
            }
            case AVERAGE_POOL -> {
                Window window = Objects.requireNonNull(step.window());
                yield torch.avg_pool2d(
                        x, kernel(window), strides(window), paddings(window), false, true, new LongOptional());
            }
            case MAX_POOL -> {
                Window window = Objects.requireNonNull(step.window());
                yield torch.max_pool2d(x, kernel(window), strides(window), paddings(window), ONE, false);
            }
            case GLOBAL_AVERAGE_POOL -> torch.adaptive_avg_pool2d(x, ONE);
            case FLATTEN -> x.flatten(1, -1);
        };
    }

    /** In place where the sum's first operand is a batch normalisation's output, which backward does not read. */
    private Tensor add(Step step, Map<String, Tensor> values) {
        Tensor a = Objects.requireNonNull(values.get(step.inputs().get(0)));
        Tensor b = Objects.requireNonNull(values.get(step.inputs().get(1)));
        boolean free = network.steps().stream()
                        .anyMatch(s -> s.op() == Op.BATCH_NORM && s.output().equals(step.input()))
                && network.readers(step.input()) == 1;
        return free ? a.add_(b) : a.add(b);
    }

    private Tensor parameter(Step step, int place) {
        return Objects.requireNonNull(parameters.get(step.parameters().get(place)));
    }

    private TensorOptional optional(Step step, int place) {
        @Nullable String name = step.parameter(place);
        return name == null ? NONE : optionals.getOrDefault(name, NONE);
    }

    static long[] kernel(Window window) {
        return new long[] {window.rows().kernel(), window.columns().kernel()};
    }

    static long[] strides(Window window) {
        return new long[] {window.rows().stride(), window.columns().stride()};
    }

    static long[] paddings(Window window) {
        return new long[] {window.rows().before(), window.columns().before()};
    }

    /** Nothing: the process ends with its only job. */
    @Override
    public void close() {}
}
