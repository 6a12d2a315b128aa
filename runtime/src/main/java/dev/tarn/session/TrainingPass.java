package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.optim.LearningRate;

/** The steps of one epoch and what they add up to. */
final class TrainingPass {
    private final TrainingSession session;
    private final LearningRate rate;
    private final long epoch;
    private final RunClock clock;
    private final TrainingListener listener;
    private long examples;
    private long correct;
    private double loss;

    TrainingPass(TrainingSession session, LearningRate rate, long epoch, RunClock clock, TrainingListener listener) {
        this.session = session;
        this.rate = rate;
        this.epoch = epoch;
        this.clock = clock;
        this.listener = listener;
    }

    void step(Batch batch) {
        double batchLoss = session.forward(batch);
        if (!Double.isFinite(batchLoss)) {
            throw new DivergenceException(
                    batchLoss, "in epoch %d, step %d of the run".formatted(epoch + 1, session.step() + 1));
        }
        correct += Metrics.correct(session.output(batch.size()), batch.labels());
        session.backward();
        session.update(rate.at(session.step()));
        examples += batch.size();
        loss += batchLoss * batch.size();
        listener.stepDone(session.step(), clock.passes(), batchLoss, session.learningRate(), session.gradientNorm());
    }

    EpochResult result(Validation validation, long trainNanos, long nanos) {
        return new EpochResult(
                epoch + 1,
                session.step(),
                clock.passes(),
                loss / examples,
                correct / (double) examples,
                validation.loss(),
                validation.accuracy(),
                session.learningRate(),
                session.regularizationLoss(),
                examples * 1e9 / trainNanos,
                nanos / 1e9,
                clock.seconds());
    }
}
