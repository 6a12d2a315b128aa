package dev.tarn.bench;

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
import java.nio.file.Path;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** This library. */
final class TarnContender implements Contender {
    private static final long SEED = 1;

    @Override
    public String name() {
        return "tarn";
    }

    @Override
    public Set<Task> tasks() {
        return EnumSet.allOf(Task.class);
    }

    @Override
    public Map<String, String> environment() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("kernel_level", KernelLevel.label());
        facts.put("openblas_core", OpenBlas.get().map(OpenBlas::coreName).orElseGet(OpenBlas::absence));
        return facts;
    }

    /** A model with the weights of a folder, or fresh ones. */
    static Model model(Workload workload, @Nullable Path weights) throws IOException {
        return weights == null
                ? Model.create(workload.layer(), SEED)
                : Model.load(workload.layer(), workload.weights(weights));
    }

    @Override
    public Work open(Workload workload, Task task, int threads, @Nullable Path weights) throws IOException {
        var model = model(workload, weights);
        var options = SessionOptions.DEFAULT.withThreads(threads);
        return switch (task) {
            case TRAINING -> new Training(model, workload, options, new Repeated(workload));
            case TRAINING_LOADER -> new Training(model, workload, options, new Loaded(workload));
            case INFERENCE -> new Inference(model, workload, options);
        };
    }

    /** Where a step's batch comes from. */
    private interface Feed extends AutoCloseable {
        Batch next();

        @Override
        void close();
    }

    /** The same batch each time, in memory. */
    private static final class Repeated implements Feed {
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
        private final SyntheticDataset dataset;
        private final DataLoader loader;
        private Iterator<Batch> batches = Collections.emptyIterator();
        private long epoch;

        Loaded(Workload workload) {
            dataset = new SyntheticDataset(workload);
            loader = DataLoader.of(dataset, workload.batch()).shuffled(SEED);
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
            dataset.close();
        }
    }

    private static final class Training implements Work {
        private final Model model;
        private final Feed feed;
        private final TrainingSession session;
        private double loss;

        Training(Model model, Workload workload, SessionOptions options, Feed feed) {
            this.model = model;
            this.feed = feed;
            session = model.training(
                    workload.input(), new CrossEntropyLoss(), new SGD().momentum(Workload.MOMENTUM), options);
        }

        @Override
        public void run() {
            loss = session.forward(feed.next());
            session.backward();
            session.update(Workload.LEARNING_RATE);
        }

        @Override
        public double loss() {
            return loss;
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
        private final Workload workload;
        private final Feed feed;
        private final InferenceSession session;
        private @Nullable Tensor logits;

        Inference(Model model, Workload workload, SessionOptions options) {
            this.model = model;
            this.workload = workload;
            feed = new Repeated(workload);
            session = model.inference(workload.input(), options);
        }

        @Override
        public void run() {
            logits = session.run(feed.next());
        }

        @Override
        public double loss() {
            return logits == null ? Double.NaN : workload.loss(logits.toArray());
        }

        @Override
        public void close() {
            session.close();
            feed.close();
            model.close();
        }
    }
}
