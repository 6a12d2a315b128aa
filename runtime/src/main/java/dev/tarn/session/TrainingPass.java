package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.data.DataException;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Dataset;
import dev.tarn.optim.LearningRate;
import java.io.IOException;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/** The steps of one epoch and what they add up to. */
final class TrainingPass {
    private final TrainingSession session;
    private final LearningRate rate;
    private final long epoch;
    private final RunClock clock;
    private final TrainingListener listener;
    private final Map<Batch, List<Batch>> parts = new IdentityHashMap<>(); // of a loader's few batches
    private final long microBatch;
    private final long started;
    private long examples;
    private long correct;
    private double loss;

    /** @param before what the epoch had come to when the run was interrupted */
    TrainingPass(
            TrainingSession session,
            LearningRate rate,
            long microBatch,
            long epoch,
            EpochSums before,
            RunClock clock,
            TrainingListener listener) {
        this.session = session;
        this.rate = rate;
        this.microBatch = microBatch;
        this.epoch = epoch;
        this.clock = clock;
        this.listener = listener;
        examples = before.examples();
        correct = before.correct();
        loss = before.loss();
        started = System.nanoTime() - before.nanos();
    }

    /**
     * Trains to the end of the epoch, unless the run ends within it.
     *
     * @return whether the run is over
     * @throws DivergenceException if a loss, or the norm of gradients that are clipped, is not finite
     * @throws DataException if a batch cannot be read
     */
    boolean run(Dataset data, DataLoader loader, RunProgress progress, RunKeeper keeper) throws IOException {
        try {
            for (Batch batch : loader.epoch(epoch, session.step() - epoch * loader.batches())) {
                try {
                    step(batch);
                } catch (DivergenceException e) {
                    var first = session.findNotFinite(batch, parts(batch)).orElse(null);
                    throw e.at(epoch + 1, session.step() + 1, first, loader.samples(), data);
                }
                if (clock.isOver(progress.validations())) {
                    return true;
                }
                keeper.afterStep(progress, this);
            }
        } catch (DataException e) {
            Throwable cause = e.getCause() == null ? e : e.getCause();
            throw new DataException(
                    "in epoch %d, step %d of the run: %s".formatted(epoch + 1, session.step() + 1, cause.getMessage()),
                    e);
        }
        return false;
    }

    private void step(Batch batch) {
        double batchLoss = 0;
        List<Batch> all = parts(batch);
        for (int i = 0; i < all.size(); i++) {
            Batch part = all.get(i);
            batchLoss += session.forward(part, batch);
            if (!Double.isFinite(batchLoss)) {
                throw DivergenceException.ofLoss(batchLoss, "");
            }
            correct += Metrics.correct(session.output(part.size()), part.labels());
            session.backward();
        }
        session.update(rate.at(session.step()));
        examples += batch.size();
        loss += batchLoss * batch.size();
        listener.stepDone(session.step(), clock.passes(), batchLoss, session.learningRate(), session.gradientNorm());
    }

    /** A batch as it goes through the network; made once for each, so that steps allocate nothing. */
    private List<Batch> parts(Batch batch) {
        List<Batch> known = parts.get(batch);
        if (known == null) {
            known = batch.parts(microBatch);
            parts.put(batch, known);
        }
        return known;
    }

    EpochSums sums() {
        return new EpochSums(examples, correct, loss, System.nanoTime() - started);
    }

    /** @param trained the sums when training had ended and validation began */
    EpochResult result(EpochSums trained, Validation validation) {
        return new EpochResult(
                epoch + 1,
                session.step(),
                clock.passes(),
                loss / examples,
                correct / (double) examples,
                validation.loss(),
                validation.accuracy(),
                rate.at(session.step() - 1),
                session.regularizationLoss(),
                examples / trained.seconds(),
                sums().seconds(),
                clock.seconds());
    }
}
