package dev.tarn.optim;

/** A learning rate as a function of the step, counted from 0. A pure function, so a resumed run goes on where it was. */
@FunctionalInterface
public interface LearningRate {
    /** The rate of a step. */
    double at(long step);

    /** The same rate always. */
    static LearningRate constant(double rate) {
        requireRate(rate);
        return step -> rate;
    }

    /** rate * factor^floor(step / every). */
    static LearningRate step(double rate, double factor, long every) {
        requireRate(rate);
        if (every < 1) {
            throw new IllegalArgumentException("step decay happens every 1 step or more, not " + every);
        }
        return step -> rate * StrictMath.pow(factor, step / every);
    }

    /**
     * From the rate down to zero along half a cosine: rate * (1 + cos(pi * step / steps)) / 2 (Loshchilov and Hutter, "SGDR",
     * 2017); zero from {@code steps} on.
     */
    static LearningRate cosine(double rate, long steps) {
        requireRate(rate);
        if (steps < 1) {
            throw new IllegalArgumentException("a cosine schedule has 1 step or more, not " + steps);
        }
        return step -> step >= steps ? 0 : rate * (1 + StrictMath.cos(StrictMath.PI * step / steps)) / 2;
    }

    private static void requireRate(double rate) {
        if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("a learning rate is positive and finite, not " + rate);
        }
    }
}
