package dev.tarn.session;

import dev.tarn.graph.Parameter;
import dev.tarn.io.SafeTensors;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Layer;
import dev.tarn.nn.init.Initialization;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.StampedLock;

/**
 * A layer together with its weights, which lie in one block off the heap that the model owns. Sessions train it or run it: any
 * number of inference sessions may share a model across threads, and a training step has it to itself.
 */
public final class Model implements AutoCloseable {
    private final Layer layer;
    private final long seed;
    private final ParameterTable table;
    private final MemoryPlan plan;
    private final OwnedMemory memory;
    private final MemorySegment flat;
    private final Set<String> sessions = new LinkedHashSet<>();
    private final StampedLock lock = new StampedLock();
    private final AtomicLong version = new AtomicLong();
    private int sessionsOpened;

    private Model(Layer layer, long seed, DType dtype) {
        this.layer = layer;
        this.seed = seed;
        this.table = new ParameterTable(layer, dtype);
        this.plan = table.plan();
        this.memory = OwnedMemory.open("model " + layer.getClass().getSimpleName());
        this.flat = memory.allocate(plan.byteSize());
    }

    /**
     * A model with fresh F32 weights.
     *
     * @param seed of initialisers and dropout: the same seed gives the same weights
     */
    public static Model create(Layer layer, long seed) {
        return create(layer, seed, DType.F32);
    }

    /** As {@link #create(Layer, long)}, with first values other than those that the layers ask for. */
    public static Model create(Layer layer, long seed, Initialization initialization) {
        return create(layer, seed, initialization, DType.F32);
    }

    /** As {@link #create(Layer, long)} in another number type; F64 is for gradient checks. */
    public static Model create(Layer layer, long seed, DType dtype) {
        return create(layer, seed, Initialization.OWN, dtype);
    }

    private static Model create(Layer layer, long seed, Initialization initialization, DType dtype) {
        if (dtype != DType.F32 && dtype != DType.F64) {
            throw new IllegalArgumentException("models compute in F32 or F64, not " + dtype);
        }
        Model model = new Model(layer, seed, dtype);
        Map<String, Parameter> parameters = layer.parametersByPath();
        long index = 0;
        for (String path : model.table.paths()) {
            Parameter parameter = model.requireParameter(path);
            initialization
                    .of(path, parameters)
                    .initialize(
                            model.table.tensor(model.flat, parameter),
                            parameter.fan(),
                            new Rng(seed, Rng.Stream.INIT, index++));
        }
        return model;
    }

    /**
     * A model with the weights of a safetensors file.
     *
     * @throws IOException if the file cannot be read
     * @throws dev.tarn.io.FileFormatException if it is damaged, or its tensors are not those of the layer
     */
    public static Model load(Layer layer, Path file) throws IOException {
        Model model = new Model(layer, 0, DType.F32);
        try {
            model.load(file);
            return model;
        } catch (IOException | RuntimeException e) {
            model.close();
            throw e;
        }
    }

    /** Replaces all weights by those of a safetensors file; on any error the weights stay as they are. */
    public void load(Path file) throws IOException {
        SafeTensors tensors = SafeTensors.open(file);
        Map<String, Tensor> own = tensors();
        ModelFiles.requireSameTensors(file, own, tensors);
        exclusively(() -> own.forEach((path, tensor) -> tensor.copyFrom(tensors.tensor(path))));
    }

    /**
     * Writes all weights as safetensors, atomically.
     *
     * @param metadata stored in the file's header
     */
    public void save(Path file, Map<String, String> metadata) throws IOException {
        memory.checkOpen();
        SafeTensors.write(file, metadata, tensors());
    }

    /** Writes all weights as safetensors, atomically, with all that the card says. */
    public void save(Path file, ModelCard card) throws IOException {
        memory.checkOpen();
        Map<String, Tensor> all = tensors();
        all.putAll(card.toTensors());
        SafeTensors.write(file, card.toMetadata(), all);
    }

    /** Writes all weights as safetensors, atomically. */
    public void save(Path file) throws IOException {
        save(file, Map.of());
    }

    /** A session that trains this model on batches of at most {@code input.size(0)} images (N, C, H, W). */
    public TrainingSession training(Shape input, Loss loss, Optimizer optimizer) {
        return training(input, loss, optimizer, SessionOptions.DEFAULT);
    }

    public TrainingSession training(Shape input, Loss loss, Optimizer optimizer, SessionOptions options) {
        return new TrainingSession(this, input, loss, optimizer, options);
    }

    /** A session that runs this model on batches of at most {@code input.size(0)} images (N, C, H, W). */
    public InferenceSession inference(Shape input) {
        return inference(input, SessionOptions.DEFAULT);
    }

    public InferenceSession inference(Shape input, SessionOptions options) {
        return new InferenceSession(this, input, options);
    }

    /**
     * A session that runs this model {@code passes} times on each batch of at most {@code input.size(0)} images (N, C, H, W), its
     * random layers drawing, and averages; 0 is one pass without draws.
     *
     * @throws IllegalArgumentException if passes are negative, or in BF16
     */
    public MonteCarloSession monteCarlo(Shape input, int passes, MonteCarloSession.Of of, SessionOptions options) {
        return new MonteCarloSession(this, input, passes, of, options);
    }

    /** Views of all parameters and statistics by path, in the order in which layers state them. */
    public Map<String, Tensor> tensors() {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (String path : table.paths()) {
            tensors.put(path, tensor(path));
        }
        return tensors;
    }

    /** A view of one parameter or statistic. Writing to it while a session runs is a race. */
    public Tensor tensor(String path) {
        return table.tensor(flat, requireParameter(path));
    }

    /** Number of learned numbers. */
    public long parameterCount() {
        return table.trainableCount();
    }

    public Layer layer() {
        return layer;
    }

    public DType dtype() {
        return table.dtype();
    }

    public long seed() {
        return seed;
    }

    /** What the model's memory holds. */
    public MemoryPlan memory() {
        return plan;
    }

    /**
     * Frees the weights.
     *
     * @throws IllegalStateException if sessions are open; the message names them
     */
    @Override
    public void close() {
        synchronized (sessions) {
            if (!sessions.isEmpty()) {
                throw new IllegalStateException("close the model's sessions first: " + List.copyOf(sessions));
            }
            memory.close();
        }
    }

    private Parameter requireParameter(String path) {
        Parameter parameter = table.parameter(path);
        if (parameter == null) {
            throw new IllegalArgumentException("the model has no parameter %s".formatted(path));
        }
        return parameter;
    }

    ParameterTable table() {
        return table;
    }

    MemorySegment flat() {
        return flat;
    }

    OwnedMemory owned() {
        return memory;
    }

    StampedLock lock() {
        return lock;
    }

    /** Counts changes of the weights, so that inference sessions know when what they prepared is stale. */
    AtomicLong version() {
        return version;
    }

    /** Changes weights while no session runs. */
    void exclusively(Runnable change) {
        long stamp = lock.writeLock();
        try {
            change.run();
            version.incrementAndGet();
        } finally {
            lock.unlockWrite(stamp);
        }
    }

    String register(String kind, Shape input) {
        if (input.rank() < 1 || input.size(0) < 1) {
            throw new ShapeException(
                    kind, "(N, C, H, W)", input.toString(), "a session has room for at least one image");
        }
        synchronized (sessions) {
            memory.checkOpen();
            String name = kind + " session " + ++sessionsOpened + " " + input;
            sessions.add(name);
            return name;
        }
    }

    void unregister(String session) {
        synchronized (sessions) {
            sessions.remove(session);
        }
    }
}
