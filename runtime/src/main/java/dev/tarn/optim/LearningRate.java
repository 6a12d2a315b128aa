package dev.tarn.optim;

/**
 * A learning rate as a function of the step, counted from 0. A pure function, so a resumed run goes on where it was.
 * Any of them goes with any optimizer; {@link #perEpoch} makes one count epochs.
 */
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
        requireFactor(factor);
        if (every < 1) {
            throw new IllegalArgumentException("step decay happens every 1 step or more, not " + every);
        }
        return step -> rate * StrictMath.pow(factor, step / every);
    }

    /** rate * factor^n, where n of the given steps have come. */
    static LearningRate steps(double rate, double factor, long... at) {
        requireRate(rate);
        requireFactor(factor);
        long[] cuts = at.clone();
        return step -> {
            int n = 0;
            for (long cut : cuts) {
                n += cut <= step ? 1 : 0;
            }
            return rate * StrictMath.pow(factor, n);
        };
    }

    /** rate * exp(-k * step). */
    static LearningRate exponential(double rate, double k) {
        requireRate(rate);
        Checks.notNegative("a decay constant", k);
        return step -> rate * StrictMath.exp(-k * step);
    }

    /** rate / (1 + k * step). */
    static LearningRate inverse(double rate, double k) {
        requireRate(rate);
        Checks.notNegative("a decay constant", k);
        return step -> rate / (1 + k * step);
    }

    /**
     * From the rate down to zero along half a cosine: rate * (1 + cos(pi * step / steps)) / 2 (Loshchilov and Hutter,
     * "SGDR", 2017); zero from {@code steps} on.
     */
    static LearningRate cosine(double rate, long steps) {
        requireRate(rate);
        if (steps < 1) {
            throw new IllegalArgumentException("a cosine schedule has 1 step or more, not " + steps);
        }
        return step -> step >= steps ? 0 : rate * (1 + StrictMath.cos(StrictMath.PI * step / steps)) / 2;
    }

    /** This schedule with epochs, counted from 0, in place of steps. */
    default LearningRate perEpoch(long stepsPerEpoch) {
        return step -> at(step / stepsPerEpoch);
    }

    /** This schedule, in the first steps times (step + 1) / steps (Goyal et al., 2017). */
    default LearningRate warmedUp(long steps) {
        return step -> step < steps ? at(step) * (step + 1) / steps : at(step);
    }

    /** This schedule for some steps, then another from its beginning. */
    default LearningRate then(long steps, LearningRate next) {
        return step -> step < steps ? at(step) : next.at(step - steps);
    }

    private static void requireRate(double rate) {
        if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("a learning rate is positive and finite, not " + rate);
        }
    }

    private static void requireFactor(double factor) {
        if (!(factor > 0 && factor <= 1)) {
            throw new IllegalArgumentException("a learning rate is cut by a factor in (0, 1], not " + factor);
        }
    }
}
