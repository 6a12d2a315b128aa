package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.optim.LearningRate;

/** The steps of one epoch and what they add up to. */
final class TrainingPass {
    private final TrainingSession session;
    private final LearningRate rate;
    private final long epoch;
    private final TrainingListener listener;
    private long steps;
    private long examples;
    private long correct;
    private double loss;

    TrainingPass(TrainingSession session, LearningRate rate, long epoch, TrainingListener listener) {
        this.session = session;
        this.rate = rate;
        this.epoch = epoch;
        this.listener = listener;
    }

    void step(Batch batch) {
        double batchLoss = session.forward(batch);
        steps++;
        if (!Double.isFinite(batchLoss)) {
            throw new DivergenceException(
                    batchLoss,
                    "in epoch %d, step %d (step %d of the run)".formatted(epoch + 1, steps, session.step() + 1));
        }
        correct += Metrics.correct(session.output(batch.size()), batch.labels());
        session.backward();
        session.update(rate.at(session.step()));
        examples += batch.size();
        loss += batchLoss * batch.size();
        listener.stepDone(epoch + 1, steps, batchLoss);
    }

    EpochResult result(Evaluation evaluation, long trainNanos, long nanos) {
        return new EpochResult(
                epoch + 1,
                session.step(),
                loss / examples,
                correct / (double) examples,
                evaluation.loss(),
                evaluation.accuracy(),
                session.learningRate(),
                session.regularizationLoss(),
                examples * 1e9 / trainNanos,
                nanos / 1e9);
    }
}
