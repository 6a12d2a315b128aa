package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.Executor;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Runs a model on batches of one shape. Batch normalisation is folded into the layers before it, and what kernels prepare from
 * the weights is prepared again only after the weights have changed. An image's result is the same bits alone and inside any
 * batch, so a large batch is run in {@linkplain #part parts} whose activations stay in caches. A run allocates nothing but the view
 * it returns. One caller at a time; open a session for each thread.
 */
public final class InferenceSession implements AutoCloseable {
    private final Model model;
    private final Value images;
    private final Shape input;
    private final SessionCore core;
    private final MemorySegment step;
    private final Executor executor;
    private final Tensor staging;
    private final Tensor output;
    private final Tensor results;
    private long preparedVersion = -1;

    InferenceSession(Model model, Shape input, SessionOptions options) {
        this(model, new InferencePlan(model.layer(), model.table(), model.seed(), input, options), options);
    }

    InferenceSession(Model model, InferencePlan plan, SessionOptions options) {
        this.model = model;
        images = plan.images;
        input = plan.input;
        core = new SessionCore(model, "inference", input, plan.planner, options);
        boolean bound = false;
        try {
            step = plan.step < 0 ? MemorySegment.NULL : core.segment(plan.step);
            executor = core.bind(plan.program, this::external);
            staging = Tensor.view(core.segment(plan.staging), images.dtype(), input, images.layout());
            output = core.tensor(plan.program, plan.output);
            results = plan.results < 0
                    ? output
                    : Tensor.view(core.segment(plan.results), output.dtype(), plan.resultShape(), output.layout());
            bound = true;
        } finally {
            if (!bound) {
                core.close();
            }
        }
    }

    /** Memory that values of the graph have outside the program's own. */
    private MemorySegment external(Value value) {
        return value.kind() == Value.Kind.SETTING
                ? step
                : model.table().slice(model.flat(), Objects.requireNonNull(value.parameter(), value.name()));
    }

    /**
     * Runs a batch in place.
     *
     * @return the network's output, one row for each image: a view, valid until the next run
     */
    public Tensor run(Batch batch) {
        return run(batch, 0);
    }

    /** As above; where layers draw, each pass draws anew. */
    Tensor run(Batch batch, long pass) {
        core.requireInput(images, input, batch.images());
        return run(batch.images().data(), batch.size(), pass, batch.memory());
    }

    /**
     * Runs images (n, C, H, W) from memory of the caller's own, which is copied first.
     *
     * @return the network's output, one row for each image: a view, valid until the next run
     */
    public Tensor run(Tensor batch) {
        long n = batch.shape().size(0);
        Tensor copy = n <= input.size(0) && n > 0 ? staging.prefix(n) : batch;
        core.requireInput(images, input, copy);
        copy.copyFrom(batch);
        return run(copy.data(), n, 0, null);
    }

    private Tensor run(MemorySegment data, long n, long pass, @Nullable OwnedMemory batchMemory) {
        core.enter(batchMemory);
        long stamp = model.lock().readLock();
        PassEvent.Recorded event = PassEvent.start();
        try {
            core.beginRun();
            long part = part();
            for (long first = 0; first < n; first += part) {
                if (step.byteSize() > 0) { // the parts of a batch draw apart, too
                    step.set(ValueLayout.JAVA_LONG, 0, pass * Math.ceilDiv(input.size(0), part) + first / part);
                }
                runPart(data, first, Math.min(part, n - first));
            }
            return core.output(results.prefix(n));
        } finally {
            PassEvent.end(event, "inference", 0, n, core.team().threads());
            model.lock().unlockRead(stamp);
            core.exit(batchMemory);
        }
    }

    private void runPart(MemorySegment data, long first, long n) {
        executor.bindInput(images, data, first * (images.byteSize() / part()));
        executor.setBatch(n);
        long version = model.version().get();
        if (version != preparedVersion) {
            executor.prepare();
            preparedVersion = version;
        }
        executor.forward();
        if (results != output) {
            long row = output.byteSize() / part();
            MemorySegment.copy(output.data(), 0, results.data(), first * row, n * row);
        }
    }

    /** How many images go through the network at once: a batch is run in parts of this size, of which the last may be smaller. */
    public long part() {
        return images.shape().size(0);
    }

    /** The memory of a buffer that was asked for beside the session's own. */
    MemorySegment segment(int buffer) {
        return core.segment(buffer);
    }

    /** A tensor in such a buffer as the caller gets it: valid until the next run. */
    Tensor expiring(Tensor view) {
        return core.output(view);
    }

    /** Every buffer of this session: what is printed is what is allocated. */
    public MemoryPlan memory() {
        return core.plan();
    }

    @Override
    public void close() {
        core.close();
    }
}
