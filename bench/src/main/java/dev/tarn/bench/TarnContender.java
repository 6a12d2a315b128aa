package dev.tarn.bench;

import dev.tarn.bench.kernels.LayerCase;
import dev.tarn.data.Batch;
import dev.tarn.data.DataLoader;
import dev.tarn.ffm.blas.OpenBlas;
import dev.tarn.kernel.KernelLevel;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.session.InferenceSession;
import dev.tarn.session.Model;
import dev.tarn.session.SessionOptions;
import dev.tarn.session.TrainingSession;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Collections;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;

/** This library. */
public final class TarnContender implements Contender {
    private static final long SEED = 1;
    private static final SGD SGD_MOMENTUM = new SGD().momentum(Workload.MOMENTUM);

    private TarnContender() {}

    public static void main(String[] arguments) throws IOException {
        Worker.main(new TarnContender(), arguments);
    }

    @Override
    public Map<String, String> environment() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("kernel_level", KernelLevel.label());
        facts.put("openblas_core", OpenBlas.get().map(OpenBlas::coreName).orElseGet(OpenBlas::absence));
        return facts;
    }

    /** Writes the weights that all contenders start from. */
    static void saveWeights(Job job) throws IOException {
        try (Model model = Model.create(Workload.of(job).layer(), SEED)) {
            model.save(job.weights());
        }
    }

    @Override
    public Work open(Job job) throws IOException {
        if (!job.task().isNetwork()) {
            return new OneLayer(job);
        }
        var workload = Workload.of(job);
        return open(job.task(), workload, Model.load(workload.layer(), job.weights()), job.threads());
    }

    @Override
    public Map<String, Tensor> parity(Job job) throws IOException {
        return TarnParity.results(job);
    }

    /** A whole network ready to run; closing it closes the model. */
    static Work open(Task task, Workload workload, Model model, int threads) {
        var options = SessionOptions.DEFAULT.withThreads(threads);
        return switch (task) {
            case TRAINING -> new Training(model, workload, options, SGD_MOMENTUM, new Repeated(workload));
            case TRAINING_NESTEROV ->
                new Training(model, workload, options, SGD_MOMENTUM.nesterov(), new Repeated(workload));
            case TRAINING_LOADER -> new Training(model, workload, options, SGD_MOMENTUM, new Loaded(workload));
            case INFERENCE -> new Inference(model, workload, options);
            case INFERENCE_BF16 -> new Inference(model, workload, options.withPrecision(DType.BF16));
            default -> throw new IllegalArgumentException("there is no " + task.label() + " here");
        };
    }

    private static final class OneLayer implements Work {
        private final LayerCase layer;

        OneLayer(Job job) {
            layer = new LayerCase(
                    LayerShape.find(LayerShape.LAYERS, job.subject()),
                    Direction.of(job.task()),
                    KernelLevel.active(),
                    job.threads());
        }

        @Override
        public float[] outputs() {
            return layer.result();
        }

        @Override
        public void run() {
            layer.run();
        }

        @Override
        public String form() {
            return layer.variant();
        }

        @Override
        public void close() {
            layer.close();
        }
    }

    /** Where a step's batch comes from. */
    interface Feed extends AutoCloseable {
        Batch next();

        @Override
        void close();
    }

    /** The same batch each time, in memory. */
    static final class Repeated implements Feed {
        private final OwnedMemory memory = OwnedMemory.open("benchmark batch");
        private final Batch batch;

        Repeated(Workload workload) {
            Tensor images = tensor(DType.F32, workload.input(), Layout.CHANNELS_LAST);
            images.copyFrom(workload.images());
            Tensor labels = tensor(DType.I32, Shape.of(workload.batch()), Layout.ROW_MAJOR);
            MemorySegment.copy(MemorySegment.ofArray(workload.labels()), 0, labels.data(), 0, labels.byteSize());
            batch = new Batch(images, labels, memory);
        }

        private Tensor tensor(DType dtype, Shape shape, Layout layout) {
            return Tensor.view(memory.allocate(shape.elementCount() * dtype.byteSize()), dtype, shape, layout);
        }

        @Override
        public Batch next() {
            return batch;
        }

        @Override
        public void close() {
            memory.close();
        }
    }

    /** Epoch after epoch of a shuffled data set. */
    private static final class Loaded implements Feed {
        private final DataLoader loader;
        private Iterator<Batch> batches = Collections.emptyIterator();
        private long epoch;

        Loaded(Workload workload) {
            loader = DataLoader.of(SyntheticDataset.of(workload), workload.batch())
                    .shuffled(SEED);
        }

        @Override
        public Batch next() {
            if (!batches.hasNext()) {
                batches = loader.epoch(epoch++).iterator();
            }
            return batches.next();
        }

        @Override
        public void close() {
            loader.close();
        }
    }

    private static final class Training implements Work {
        private final Model model;
        private final Feed feed;
        private final TrainingSession session;
        private double loss;

        Training(Model model, Workload workload, SessionOptions options, SGD optimizer, Feed feed) {
            this.model = model;
            this.feed = feed;
            session = model.training(workload.input(), new CrossEntropyLoss(), optimizer, options);
        }

        @Override
        public void run() {
            loss = session.forward(feed.next());
            session.backward();
            session.update(Workload.LEARNING_RATE);
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

        @Override
        public long plannedBytes() {
            return model.memory().byteSize() + session.memory().byteSize();
        }

        @Override
        public void close() {
            session.close();
            feed.close();
            model.close();
        }
    }

    private static final class Inference implements Work {
        private final Model model;
        private final Feed feed;
        private final InferenceSession session;

        Inference(Model model, Workload workload, SessionOptions options) {
            this.model = model;
            feed = new Repeated(workload);
            session = model.inference(workload.input(), options);
        }

        @Override
        public void run() {
            session.run(feed.next());
        }

        @Override
        public float[] outputs() {
            return session.run(feed.next()).toArray();
        }

        @Override
        public long plannedBytes() {
            return model.memory().byteSize() + session.memory().byteSize();
        }

        @Override
        public void close() {
            session.close();
            feed.close();
            model.close();
        }
    }
}
