package dev.tarn.session;

import dev.tarn.data.Dataset;
import dev.tarn.graph.program.NotFinite;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Training went astray: the loss or the gradients are not finite any more. What was written to the disk before is untouched.
 */
public final class DivergenceException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private static final String HELP = "; a smaller --lr usually helps, and so does looking for broken images";
    private static final int SHOWN = 8;

    private final String what;
    private final long step;
    private final String layer;
    private final long[] samples;

    private DivergenceException(String what, long step, String layer, long[] samples) {
        super(what + HELP);
        this.what = what;
        this.step = step;
        this.layer = layer;
        this.samples = samples;
    }

    /** @param of the loss of what, and when */
    static DivergenceException ofLoss(double loss, String of) {
        return new DivergenceException("the loss%s is %s".formatted(of, loss), 0, "", new long[0]);
    }

    /** A norm that gradients should be clipped to; the parameters have not changed yet. */
    static DivergenceException ofGradients(double norm, String layer) {
        String whose = layer.isEmpty() ? "the model" : layer;
        return new DivergenceException(
                "the norm of the gradients of %s is %s".formatted(whose, norm), 0, layer, new long[0]);
    }

    /**
     * The same, with where it happened.
     *
     * @param epoch counted from 1, as {@code step}
     * @param first number that is not finite
     * @param samples the batch's images in the data set
     */
    DivergenceException at(long epoch, long step, @Nullable NotFinite first, long[] samples, Dataset data) {
        String origin = "";
        if (first != null) {
            String whose = first.image() < 0 ? "" : ", for " + data.name(samples[(int) first.image()]);
            origin = "; the first number that is not finite is %s%s".formatted(first, whose);
        }
        String batch = Arrays.stream(samples).limit(SHOWN).mapToObj(data::name).collect(Collectors.joining(", "));
        int more = samples.length - SHOWN;
        return new DivergenceException(
                "%s in epoch %d, step %d of the run%s; the batch has %s%s"
                        .formatted(what, epoch, step, origin, batch, more > 0 ? " and %d more".formatted(more) : ""),
                step,
                first == null ? layer : first.layer(),
                samples);
    }

    /** The step of the run, counted from 1; 0 if it is not known. */
    public long step() {
        return step;
    }

    /**
     * The layer whose output was the first that was not finite, or the parameter or input; with {@code .grad}, in the backward pass.
     * Empty if it is not known.
     */
    public String layer() {
        return layer;
    }

    /** The images of the batch, by their index in the training data; empty if it is not one batch's loss. */
    public long[] samples() {
        return samples.clone();
    }
}
