package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.Executor;
import dev.tarn.graph.program.NotFinite;
import dev.tarn.io.SafeTensors;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.Optimizer;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Trains a model on batches of one shape, with memory planned before the first step. A step is {@link #forward(Batch)},
 * {@link #backward}, {@link #update}, in that order. A batch larger than memory allows passes in parts, whose gradients add up
 * to those of its mean loss:
 *
 * <pre>{@code
 * for (Batch part : batch.parts(16)) {
 *     loss += session.forward(part, batch);
 *     session.backward();
 * }
 * session.update(rate);
 * }</pre>
 *
 * <p>A step allocates nothing, on the heap or off it. One caller at a time.
 */
public final class TrainingSession implements AutoCloseable {
    private static final String STEP_KEY = "tarn.step";

    private enum Phase {
        READY,
        FORWARD_DONE,
        BACKWARD_DONE,
        /** An update ended half-way: some parameters have moved, others have not. */
        BROKEN
    }

    private final Model model;
    private final Value images;
    private final Value target;
    private final SessionCore core;
    private final Executor executor;
    private final ParameterUpdate update;
    private final MemorySegment gradients;
    private final Loss lossFunction;
    private final MemorySegment stepSetting;
    private final MemorySegment divisorSetting;
    private final Tensor logits;
    private final MemorySegment lossSegment;
    private Phase phase = Phase.READY;
    private @Nullable Batch batch;
    private long step;
    private int partsDone; // backward passes since the last update

    TrainingSession(Model model, Shape input, Loss lossFunction, Optimizer optimizer, SessionOptions options) {
        this.model = model;
        this.lossFunction = lossFunction;
        var plan =
                new TrainingPlan(model.layer(), model.table(), model.seed(), input, lossFunction, optimizer, options);
        images = plan.images;
        target = plan.target;
        core = new SessionCore(model, "training", input, plan.planner, options);
        boolean bound = false;
        try {
            gradients = core.segment(plan.update.gradients);
            MemorySegment settings = core.segment(plan.settings);
            stepSetting = settings.asSlice(0, Long.BYTES);
            divisorSetting = settings.asSlice(Long.BYTES);
            executor = core.bind(plan.program, this::external);
            update = new ParameterUpdate(plan.update, core, model.flat(), stepSetting);
            logits = core.tensor(plan.program, plan.output);
            lossSegment = core.tensor(plan.program, plan.loss).data();
            bound = true;
        } finally {
            if (!bound) {
                core.close();
            }
        }
    }

    /** Memory that values of the graph have outside the program's own. */
    private MemorySegment external(Value value) {
        if (value.kind() == Value.Kind.SETTING) {
            return value == value.graph().step() ? stepSetting : divisorSetting;
        }
        Parameter parameter = Objects.requireNonNull(value.parameter(), value.name());
        return model.table().slice(value.kind() == Value.Kind.GRADIENT ? gradients : model.flat(), parameter);
    }

    /**
     * Computes the loss of a batch, whose memory is read in place until {@link #backward} has run.
     *
     * @return the mean loss over the batch's examples
     * @throws dev.tarn.tensor.ShapeException if the batch is larger than planned, or of another shape or type
     * @throws IllegalStateException if the session or the batch's memory is closed
     */
    public double forward(Batch next) {
        return forward(next, next);
    }

    /**
     * As above for a part of a batch, one of several that a single update follows. Random layers draw anew for each part, and batch
     * normalisation sees each part alone.
     *
     * @param whole the batch, larger than planned if need be
     * @return what the part adds to the mean loss over the whole batch
     */
    public double forward(Batch next, Batch whole) {
        requireWhole();
        core.requireInput(images, next.images());
        core.requireInput(target, next.labels());
        core.enter(next.memory());
        long stamp = model.lock().writeLock();
        PassEvent.Recorded event = PassEvent.start();
        try {
            bind(next, whole);
            executor.forward();
            // Running statistics have moved.
            model.version().incrementAndGet();
            batch = next;
            phase = Phase.FORWARD_DONE;
            return lossSegment.get(ValueLayout.JAVA_DOUBLE, 0);
        } finally {
            PassEvent.end(event, "forward", step, next.size(), core.team().threads());
            model.lock().unlockWrite(stamp);
            core.exit(next.memory());
        }
    }

    private void bind(Batch next, Batch whole) {
        phase = Phase.READY;
        core.beginRun();
        executor.bindInput(images, next.images().data());
        executor.bindInput(target, next.labels().data());
        executor.setBatch(next.size());
        long part = next == whole ? 0 : partsDone;
        stepSetting.set(ValueLayout.JAVA_LONG, 0, step + (part << Integer.SIZE));
        divisorSetting.set(ValueLayout.JAVA_DOUBLE, 0, lossFunction.weight(whole.labels()));
    }

    /**
     * Runs a batch again, forward and backward, to look at every number: the first that is not finite. It is for a step that went
     * astray, where training cannot go on: gradients and running statistics are spoilt afterwards.
     *
     * @param parts as they went through the network
     */
    Optional<NotFinite> findNotFinite(Batch failed, List<Batch> parts) {
        core.enter(failed.memory());
        long stamp = model.lock().writeLock();
        try {
            gradients.fill((byte) 0);
            Optional<NotFinite> found = Optional.empty();
            long before = 0;
            for (partsDone = 0; partsDone < parts.size() && found.isEmpty(); partsDone++) {
                Batch part = parts.get(partsDone);
                bind(part, failed);
                long first = before;
                found = executor.findNotFinite(Map.of(
                                images,
                                part.images().data(),
                                target,
                                part.labels().data()))
                        .map(number -> number.after(first));
                before += part.size();
            }
            return found;
        } finally {
            model.lock().unlockWrite(stamp);
            core.exit(failed.memory());
        }
    }

    private void requireWhole() {
        if (phase == Phase.BROKEN) {
            throw new IllegalStateException("the last update failed half-way; resume a checkpoint to go on");
        }
    }

    /** Adds the gradients of the last batch's loss to those of the parameters. */
    public void backward() {
        Batch last = batch;
        if (phase != Phase.FORWARD_DONE || last == null) {
            throw new IllegalStateException("backward follows forward, once for each");
        }
        core.enter(last.memory());
        long stamp = model.lock().writeLock();
        PassEvent.Recorded event = PassEvent.start();
        try {
            executor.backward();
            partsDone++;
            phase = Phase.BACKWARD_DONE;
        } finally {
            PassEvent.end(event, "backward", step, last.size(), core.team().threads());
            model.lock().unlockWrite(stamp);
            core.exit(last.memory());
            batch = null;
        }
    }

    /**
     * Changes the parameters along their gradients, sets these to zero, and counts a step.
     *
     * @throws DivergenceException if the optimizer clips norms and one is not finite; no parameter has changed then
     * @throws UncheckedIOException if the optimizer's state lies in a file that cannot be read or written; the session goes on from a
     *     checkpoint only
     */
    public void update(double learningRate) {
        if (phase != Phase.BACKWARD_DONE) {
            throw new IllegalStateException("update follows backward");
        }
        core.enter(null);
        long stamp = model.lock().writeLock();
        PassEvent.Recorded event = PassEvent.start();
        try {
            stepSetting.set(ValueLayout.JAVA_LONG, 0, step);
            update.run(learningRate);
            PassEvent.end(event, "update", step, 0, core.team().threads());
            model.version().incrementAndGet();
            step++;
            partsDone = 0;
            phase = Phase.READY;
        } catch (UncheckedIOException e) {
            phase = Phase.BROKEN;
            throw e;
        } finally {
            model.lock().unlockWrite(stamp);
            core.exit(null);
        }
    }

    /**
     * What L2 and L1 of the optimizer's groups add to the loss at the present weights, summed in double.
     * {@link #forward} returns the loss of the data alone; what is minimised is the sum of both.
     */
    public double regularizationLoss() {
        core.enter(null);
        long stamp = model.lock().writeLock();
        try {
            return update.penalty();
        } finally {
            model.lock().unlockWrite(stamp);
            core.exit(null);
        }
    }

    /** The learning rate of the last update. */
    public double learningRate() {
        core.checkOpen();
        return update.learningRate();
    }

    /** The norm of all gradients in the last update, before they were clipped; NaN unless the optimizer clips norms. */
    public double gradientNorm() {
        return update.gradientNorm();
    }

    /** The network's output for the last batch: a view, valid until the next {@link #forward}. */
    public Tensor output(long examples) {
        return core.output(logits.prefix(examples));
    }

    /** The gradient of a parameter, summed since the last update: a view. */
    public Tensor gradient(String path) {
        core.checkOpen();
        Parameter parameter = model.table().parameter(path);
        if (parameter == null || !parameter.role().isTrainable()) {
            throw new IllegalArgumentException("the model learns no parameter " + path);
        }
        return model.table().tensor(gradients, parameter);
    }

    /** Number of updates so far. */
    public long step() {
        return step;
    }

    /** Every buffer of this session: what is printed is what is allocated. */
    public MemoryPlan memory() {
        return core.plan();
    }

    /**
     * Writes everything that training goes on from: weights, statistics, optimizer state and step. Call it between
     * steps.
     *
     * @param metadata stored with it, such as the epoch
     */
    public void checkpoint(Path file, Map<String, String> metadata) throws IOException {
        if (phase != Phase.READY) {
            throw new IllegalStateException("a checkpoint is taken after update, not within a step");
        }
        core.checkOpen();
        Map<String, String> all = new LinkedHashMap<>(metadata);
        all.put(STEP_KEY, Long.toString(step));
        try (Arena arena = Arena.ofConfined()) {
            SafeTensors.write(file, all, checkpointTensors(arena));
        }
    }

    /**
     * Continues from a checkpoint, to the bit.
     *
     * @return the metadata that was stored with it
     */
    public Map<String, String> resume(Path file) throws IOException {
        core.checkOpen();
        SafeTensors tensors = SafeTensors.open(file);
        long savedStep;
        try (Arena arena = Arena.ofConfined()) {
            Map<String, Tensor> own = checkpointTensors(arena);
            ModelFiles.requireSameTensors(file, own, tensors);
            savedStep = ModelFiles.requireStep(file, tensors.metadata(), STEP_KEY);
            model.exclusively(() -> own.forEach((path, tensor) -> tensor.copyFrom(tensors.tensor(path))));
        }
        gradients.fill((byte) 0);
        step = savedStep;
        partsDone = 0;
        phase = Phase.READY;
        return tensors.metadata();
    }

    /** @param arena for as long as which state in a file is seen as memory */
    private Map<String, Tensor> checkpointTensors(Arena arena) throws IOException {
        Map<String, Tensor> tensors = model.tensors();
        Map<String, MemorySegment> state = update.state(arena);
        for (String path : model.table().paths()) {
            Parameter parameter = Objects.requireNonNull(model.table().parameter(path));
            if (parameter.role().isTrainable()) {
                state.forEach((name, segment) -> tensors.put(
                        "optimizer." + name + "." + path, model.table().tensor(segment, parameter)));
            }
        }
        return tensors;
    }

    @Override
    public void close() {
        core.close();
    }
}
