package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.data.Batch;
import dev.tarn.nn.Layer;
import dev.tarn.nn.loss.Loss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Compares the gradients that a network computes with centred finite differences of its loss, all in F64:
 *
 * <pre>error = |analytic - numeric| / max(|analytic|, |numeric|)          numeric = (L(w + h) - L(w - h)) / 2h</pre>
 *
 * over the vector of a few elements of each parameter, drawn at random, with h = 1e-5. Where a kink (of a ReLU, say) lies between
 * w - h and w + h, the first difference changes from h to h/2, or the second does not shrink with the square of h; then h is
 * cut down to 1e-6 and 1e-7, and an element is skipped where kinks remain. A smooth network stays below 1e-7, one with kinks
 * below 1e-4. Dropout masks are those of step 0 throughout. This runs the reference kernels, which
 * are slow: it is for networks and images cut down to a small size.
 */
public final class GradientCheck {
    private static final double[] STEPS = {1e-5, 1e-6, 1e-7};

    /** How far the first difference at h may be from that at h/2, and the second from four times that at h/2. */
    private static final double CHANGED = 1e-6;

    private static final double CURVED = 0.1;

    /** What rounding makes of a difference of losses near 1, generously; of a second difference ten times that. */
    private static final double ROUNDING = 1e-14;

    /** A gradient less than so many times the rounding cannot be told to 1e-4, and its error is related to that many. */
    private static final double CLEAR = 1e4;

    private static final long SAMPLES = 8;

    /**
     * What a check found.
     *
     * @param errors relative error by path of the parameter
     * @param samples elements that were drawn
     * @param skipped elements of these with kinks at every step, which were not compared
     */
    public record Report(Map<String, Double> errors, long samples, long skipped) {
        /** The path of the parameter with the largest error; empty if nothing was compared. */
        public String worst() {
            return errors.entrySet().stream()
                    .max(Map.Entry.comparingByValue())
                    .map(Map.Entry::getKey)
                    .orElse("");
        }

        /** The largest error. */
        public double worstError() {
            return errors.values().stream()
                    .mapToDouble(Double::doubleValue)
                    .max()
                    .orElse(0);
        }
    }

    private final Model model;
    private final TrainingSession session;
    private final Batch batch;
    private final long samplesEach;
    private double here;
    private long samples;
    private long skipped;

    private GradientCheck(Model model, TrainingSession session, Batch batch, long samplesEach) {
        this.model = model;
        this.session = session;
        this.batch = batch;
        this.samplesEach = samplesEach;
    }

    /**
     * Checks every learned parameter of a network.
     *
     * @param batch F64 images and what the loss takes
     * @param seed of the initial weights and of the choice of elements
     */
    public static Report of(Layer layer, Loss loss, Batch batch, long seed) {
        return of(layer, loss, batch, seed, SAMPLES, SessionOptions.DEFAULT);
    }

    /**
     * As above, with a number of elements to compare of each parameter.
     *
     * @param options what the session may take of the machine
     */
    public static Report of(Layer layer, Loss loss, Batch batch, long seed, long samples, SessionOptions options) {
        Shape input = batch.images().shape();
        try (Model model = Model.create(layer, seed, DType.F64);
                TrainingSession session = model.training(input, loss, new SGD(), options)) {
            return new GradientCheck(model, session, batch, samples).run(seed);
        }
    }

    private Report run(long seed) {
        here = session.forward(batch);
        session.backward();
        Map<String, Double> errors = new LinkedHashMap<>();
        for (Map.Entry<String, Tensor> entry : model.tensors().entrySet()) {
            String path = entry.getKey();
            if (requireNonNull(model.table().parameter(path)).role().isTrainable()) {
                Rng rng = new Rng(seed, Rng.Stream.GRADIENT_CHECK, path.hashCode());
                errors.put(path, error(session.gradient(path), entry.getValue(), rng));
            }
        }
        return new Report(errors, samples, skipped);
    }

    private double error(Tensor gradient, Tensor parameter, Rng rng) {
        double difference = 0;
        double length = 0;
        double noise = 0;
        for (long sample = 0; sample < samplesEach; sample++) {
            long i = rng.nextLong(parameter.shape().elementCount());
            Difference numeric = numeric(parameter, i);
            double analytic = gradient.getAt(i);
            samples++;
            if (Double.isNaN(numeric.slope)) {
                skipped++;
                continue;
            }
            difference += (numeric.slope - analytic) * (numeric.slope - analytic);
            length += Math.max(numeric.slope * numeric.slope, analytic * analytic);
            noise += numeric.noise * numeric.noise;
        }
        // What is below the noise has vanished, as for a bias before batch normalisation: there is nothing to relate
        // to.
        return length <= noise ? Math.sqrt(length) : Math.sqrt(difference / Math.max(length, noise * CLEAR * CLEAR));
    }

    /** A centred difference and what rounding may have made of it. */
    private record Difference(double slope, double noise) {}

    /** The derivative by one element at the largest step that meets no kink; NaN if there is none. */
    private Difference numeric(Tensor parameter, long i) {
        double value = parameter.getAt(i);
        Difference result = new Difference(Double.NaN, 0);
        for (double h : STEPS) {
            if (Double.isNaN(result.slope)) {
                result = new Difference(slope(parameter, i, value, h), rounding() / h);
            }
        }
        parameter.setAt(value, i);
        return result;
    }

    private double rounding() {
        return ROUNDING * Math.max(1, Math.abs(here));
    }

    /** The centred difference; NaN where its halves tell of a kink. */
    private double slope(Tensor parameter, long i, double value, double h) {
        double above = loss(parameter, i, value + h);
        double below = loss(parameter, i, value - h);
        double nearAbove = loss(parameter, i, value + h / 2);
        double nearBelow = loss(parameter, i, value - h / 2);
        double slope = (above - below) / (2 * h);
        double change = slope - (nearAbove - nearBelow) / h;
        double curve = above - 2 * here + below;
        double excess = curve - 4 * (nearAbove - 2 * here + nearBelow);
        boolean isSmooth = Math.abs(change) <= CHANGED * Math.abs(slope) + rounding() / h
                && Math.abs(excess) <= CURVED * Math.abs(curve) + 10 * rounding();
        return isSmooth ? slope : Double.NaN;
    }

    private double loss(Tensor parameter, long i, double value) {
        parameter.setAt(value, i);
        return session.forward(batch);
    }
}
