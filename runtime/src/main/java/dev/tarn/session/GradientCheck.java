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
 * over the vector of a few elements of each parameter, drawn at random. An element is skipped where a kink (of a ReLU, say) lies
 * between w - h and w + h: there the second difference of the loss does not shrink with the square of h. A smooth network stays
 * below 1e-7, one with kinks below 1e-4. Dropout masks are those of step 0 throughout. This runs the reference kernels, which
 * are slow: it is for networks and images cut down to a small size.
 */
public final class GradientCheck {
    private static final double H = 1e-5;

    /** How far the second difference at h may be from four times that at h/2, and what rounding of the loss makes of it. */
    private static final double CURVED = 0.1;

    private static final double ROUNDING = 1e-13;

    /** Gradients below this are rounding, such as those of a bias before batch normalisation. */
    private static final double VANISHED = 1e-9;

    private static final int SAMPLES = 8;

    /**
     * What a check found.
     *
     * @param errors relative error by path of the parameter
     * @param samples elements that were compared
     * @param skipped elements with a kink between
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
    private long samples;
    private long skipped;

    private GradientCheck(Model model, TrainingSession session, Batch batch) {
        this.model = model;
        this.session = session;
        this.batch = batch;
    }

    /**
     * Checks every learned parameter of a network.
     *
     * @param batch F64 images and what the loss takes
     * @param seed of the initial weights and of the choice of elements
     */
    public static Report of(Layer layer, Loss loss, Batch batch, long seed) {
        Shape input = batch.images().shape();
        try (Model model = Model.create(layer, seed, DType.F64);
                TrainingSession session = model.training(input, loss, new SGD())) {
            return new GradientCheck(model, session, batch).run(seed);
        }
    }

    private Report run(long seed) {
        session.forward(batch);
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
        double here = session.forward(batch);
        double difference = 0;
        double length = 0;
        for (int sample = 0; sample < SAMPLES; sample++) {
            long i = rng.nextLong(parameter.shape().elementCount());
            double value = parameter.dtype().get(parameter.data(), i);
            double above = loss(parameter, i, value + H);
            double below = loss(parameter, i, value - H);
            double curve = above - 2 * here + below;
            double near = loss(parameter, i, value + H / 2) - 2 * here + loss(parameter, i, value - H / 2);
            parameter.dtype().set(parameter.data(), i, value);
            samples++;
            if (Math.abs(curve - 4 * near) > CURVED * Math.abs(curve) + ROUNDING * Math.max(1, Math.abs(here))) {
                skipped++;
                continue;
            }
            double numeric = (above - below) / (2 * H);
            double analytic = gradient.dtype().get(gradient.data(), i);
            difference += (numeric - analytic) * (numeric - analytic);
            length += Math.max(numeric * numeric, analytic * analytic);
        }
        return length < VANISHED * VANISHED ? Math.sqrt(length) : Math.sqrt(difference / length);
    }

    private double loss(Tensor parameter, long i, double value) {
        parameter.dtype().set(parameter.data(), i, value);
        return session.forward(batch);
    }
}
