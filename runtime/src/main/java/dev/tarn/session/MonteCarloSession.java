package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.graph.Graph;
import dev.tarn.memory.Family;
import dev.tarn.memory.MemoryPlan;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.lang.foreign.ValueLayout;

/**
 * Runs a model several times with its random layers drawing as in training, and tells mean and spread of what comes out: how sure
 * the network is (Gal and Ghahramani, "Dropout as a Bayesian approximation", 2016). Batch normalisation stays with its running
 * statistics. With no passes it is one pass without draws, whose spread is 0.
 *
 * <pre>mean = 1/k sum over passes of y          spread = sqrt(1/(k-1) sum over passes of (y - mean)^2), 0 for k &lt; 2</pre>
 *
 * What a pass draws is a function of the model's seed, the pass and the image's place in the batch: the same batch gives the same
 * bits again. All memory is planned when the session opens. One caller at a time, and nobody trains the model during a run.
 */
public final class MonteCarloSession implements AutoCloseable {
    /** Mean and spread, F64 (n, classes): views, valid until the next run. */
    public record Estimate(Tensor mean, Tensor spread) {}

    /** What passes are averaged of. */
    public enum Of {
        /** The network's outputs. */
        OUTPUTS,
        /** Softmax of each row of them. */
        PROBABILITIES
    }

    private final InferenceSession session;
    private final int passes;
    private final Of of;
    private final Tensor mean;
    private final Tensor spread;
    private final double[] row;

    MonteCarloSession(Model model, Shape input, int passes, Of of, SessionOptions options) {
        if (passes < 0) {
            throw new IllegalArgumentException("there are no %d passes".formatted(passes));
        }
        if (passes > 0 && options.precision() != DType.F32) {
            throw new IllegalArgumentException("masks are drawn in the model's own type; precision %s has no passes"
                    .formatted(options.precision()));
        }
        this.passes = passes;
        this.of = of;
        var randomness = passes > 0 ? Graph.Randomness.DRAWN : Graph.Randomness.EXPECTED;
        var plan = new InferencePlan(model.layer(), model.table(), model.seed(), input, randomness, options);
        Shape result = plan.resultShape();
        long bytes = result.elementCount() * DType.F64.byteSize();
        int meanBuffer = plan.planner.addPersistent("mean", Family.STAGING, bytes);
        int spreadBuffer = plan.planner.addPersistent("spread", Family.STAGING, bytes);
        session = new InferenceSession(model, plan, options);
        mean = Tensor.view(session.segment(meanBuffer), DType.F64, result, plan.output.layout());
        spread = Tensor.view(session.segment(spreadBuffer), DType.F64, result, plan.output.layout());
        row = new double[of == Of.PROBABILITIES ? Math.toIntExact(result.elementCount() / result.size(0)) : 0];
    }

    /**
     * Runs a batch in place, as many times as the session has passes.
     *
     * @throws dev.tarn.tensor.ShapeException if the batch is larger than planned, or of another shape or type
     */
    public synchronized Estimate run(Batch batch) {
        mean.data().fill((byte) 0);
        spread.data().fill((byte) 0);
        int runs = Math.max(1, passes);
        for (int pass = 0; pass < runs; pass++) {
            add(session.run(batch, pass), pass + 1);
        }
        for (long i = 0; i < spread.shape().elementCount(); i++) {
            double sum = spread.data().getAtIndex(ValueLayout.JAVA_DOUBLE, i);
            spread.data().setAtIndex(ValueLayout.JAVA_DOUBLE, i, Math.sqrt(sum / Math.max(1, runs - 1)));
        }
        return new Estimate(session.expiring(mean.prefix(batch.size())), session.expiring(spread.prefix(batch.size())));
    }

    private void add(Tensor output, int count) {
        long elements = output.shape().elementCount();
        if (of == Of.OUTPUTS) {
            for (long i = 0; i < elements; i++) {
                add(output.getAt(i), i, count);
            }
            return;
        }
        for (long first = 0; first < elements; first += row.length) {
            Metrics.probabilities(output, first / row.length, row);
            for (int c = 0; c < row.length; c++) {
                add(row[c], first + c, count);
            }
        }
    }

    /** The count-th value of element i joins its mean and, in place of the spread, its sum of squared differences (Welford, 1962). */
    private void add(double y, long i, int count) {
        double before = mean.data().getAtIndex(ValueLayout.JAVA_DOUBLE, i);
        double after = before + (y - before) / count;
        mean.data().setAtIndex(ValueLayout.JAVA_DOUBLE, i, after);
        double sum = spread.data().getAtIndex(ValueLayout.JAVA_DOUBLE, i) + (y - before) * (y - after);
        spread.data().setAtIndex(ValueLayout.JAVA_DOUBLE, i, sum);
    }

    /** How many images go through the network at once, as in an {@link InferenceSession}. */
    public long part() {
        return session.part();
    }

    /** Every buffer of this session: what is printed is what is allocated. */
    public MemoryPlan memory() {
        return session.memory();
    }

    @Override
    public void close() {
        session.close();
    }
}
