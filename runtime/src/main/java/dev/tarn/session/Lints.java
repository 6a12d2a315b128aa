package dev.tarn.session;

import static java.util.Objects.requireNonNull;

import dev.tarn.data.Batch;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.op.Activation.Kind;
import dev.tarn.nn.Layer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Warnings, each a pure function of what it looks at: the traced network, its weights, a batch, the {@link Health} of a pass, or
 * accuracies. Nothing looks unless it is asked to; whoever wants silence leaves out the ids that were silenced.
 */
public final class Lints {
    private static final double LARGEST_RMS = 10;
    private static final double SMALLEST_RMS = 0.01;
    private static final double SHARE = 0.5;
    private static final double GRADIENTS_APART = 1e3;
    private static final double SMALLEST_UPDATE = 1e-5;
    private static final double LARGEST_UPDATE = 1e-1;
    private static final double GAP = 0.1;

    private Lints() {}

    private static Lint lint(Lint.Id id, String path, String reason, Object... values) {
        return new Lint(id, path, String.format(Locale.ROOT, reason, values));
    }

    /**
     * Of a network: sigmoid or tanh in hidden layers, dropout beside batch normalisation, images that convolutions without padding
     * shrink by more than half. It is traced as for training; nothing is allocated.
     *
     * @param input shape of a batch (N, C, H, W)
     * @throws dev.tarn.tensor.ShapeException if the network does not take such images
     */
    public static List<Lint> of(Layer layer, Shape input) {
        var graph = new Graph(Graph.Mode.TRAINING, DType.F32, 0, Parameter::name);
        layer.forward(graph.input("images", DType.F32, input));
        return GraphLints.of(graph);
    }

    /** Of first values: weights of several units that are all one number, and so learn the same. */
    public static List<Lint> of(Model model) {
        List<Lint> lints = new ArrayList<>();
        model.tensors().forEach((path, tensor) -> {
            boolean isWeight = requireNonNull(model.table().parameter(path)).role() == Role.WEIGHT;
            if (isWeight && tensor.shape().size(0) > 1 && isConstant(tensor)) {
                lints.add(lint(
                        Lint.Id.EQUAL_WEIGHTS,
                        path,
                        "all weights are %s, so that all units compute the same and learn the same; draw them at"
                                + " random",
                        (float) tensor.getAt(0)));
            }
        });
        return lints;
    }

    private static boolean isConstant(Tensor tensor) {
        double first = tensor.getAt(0);
        for (long i = 1; i < tensor.shape().elementCount(); i++) {
            if (tensor.getAt(i) != first) {
                return false;
            }
        }
        return true;
    }

    /**
     * Of a batch as the network gets it, such as the first: images whose root mean square is beyond 0.01 to 10, as that of raw
     * bytes is, and channels whose values have one sign or a mean larger than their deviation. With inputs of one sign the
     * gradients of all weights of a unit have one sign too, for each image.
     */
    public static List<Lint> of(Batch batch) {
        Tensor images = batch.images();
        int channels = Math.toIntExact(images.shape().size(1));
        var moments = new InputMoments(channels);
        moments.add(images);
        List<Lint> lints = new ArrayList<>();
        double rms = moments.rms();
        if (rms > LARGEST_RMS || rms > 0 && rms < SMALLEST_RMS) {
            lints.add(lint(
                    Lint.Id.INPUT_RANGE,
                    "images",
                    "the values of images have a root mean square of %.3g where layers expect about 1; scale them,"
                            + " bytes by 1/255",
                    rms));
        }
        for (int c = 0; c < channels; c++) {
            if (moments.isUncentred(c)) {
                lints.add(lint(
                        Lint.Id.UNCENTRED_INPUT,
                        "images",
                        "channel %d is not centred: its values are %.3g to %.3g with mean %.3g; subtract the mean of"
                                + " the training images",
                        c,
                        moments.least(c),
                        moments.greatest(c),
                        moments.mean(c)));
                break; // the others are alike
            }
        }
        return lints;
    }

    /**
     * Of a pass: at least half of a layer's units dead, or half of its sigmoids or tanhs saturated; gradients a thousand times
     * smaller or larger than those of the last layer; steps of plain descent longer than a tenth or shorter than 1e-5 of the weights.
     *
     * @param rate the learning rate that steps are judged by
     */
    public static List<Lint> of(Health health, double rate) {
        List<Lint> lints = new ArrayList<>();
        for (Health.Activations layer : health.activations()) {
            if (layer.dead() >= SHARE * layer.units()) {
                lints.add(lint(
                        Lint.Id.DEAD_UNITS,
                        layer.path(),
                        "%d of %d units are zero for every image; a smaller rate, a small positive bias or leaky ReLU"
                                + " helps",
                        layer.dead(),
                        layer.units()));
            }
            Kind kind = layer.function().kind();
            if ((kind == Kind.SIGMOID || kind == Kind.TANH) && layer.saturated() >= SHARE) {
                lints.add(lint(
                        Lint.Id.SATURATED,
                        layer.path(),
                        "%.0f %% of the inputs of %s are beyond 3 in size, where it passes hardly any gradient;"
                                + " smaller weights help",
                        100 * layer.saturated(),
                        layer.function().label()));
            }
        }
        for (Health.Weights weights : health.weights()) {
            gradient(weights, health.weights().getLast(), lints);
            double ratio = weights.updateRatio(rate);
            if (ratio > LARGEST_UPDATE || ratio < SMALLEST_UPDATE) {
                lints.add(lint(
                        Lint.Id.UPDATE_RATIO,
                        weights.path(),
                        "a step of descent at rate %.3g is %.2g of the weights where about 1e-3 is good; %s the rate",
                        rate,
                        ratio,
                        ratio > LARGEST_UPDATE ? "lower" : "raise"));
            }
        }
        return lints;
    }

    private static void gradient(Health.Weights weights, Health.Weights last, List<Lint> lints) {
        double norm = weights.gradientNorm();
        if (!Double.isFinite(norm) || norm > GRADIENTS_APART * last.gradientNorm()) {
            lints.add(lint(
                    Lint.Id.EXPLODING_GRADIENT,
                    weights.path(),
                    "the gradient has norm %.2g, that of the last layer %.2g; clip it, or begin with smaller weights",
                    norm,
                    last.gradientNorm()));
        } else if (norm * GRADIENTS_APART < last.gradientNorm()) {
            lints.add(lint(
                    Lint.Id.VANISHING_GRADIENT,
                    weights.path(),
                    "the gradient has norm %.2g, that of the last layer %.2g; ReLU, He's first values or normalisation"
                            + " help",
                    norm,
                    last.gradientNorm()));
        }
    }

    /** Of accuracies in [0, 1]: training images that are predicted right more often, by a tenth of all, than others. */
    public static List<Lint> ofGap(double trainAccuracy, double otherAccuracy) {
        return trainAccuracy - otherAccuracy > GAP
                ? List.of(lint(
                        Lint.Id.TRAIN_GAP,
                        "",
                        "training images are right in %.1f %%, others in %.1f %%; more data, augmentation, weight"
                                + " decay or dropout help",
                        100 * trainAccuracy,
                        100 * otherAccuracy))
                : List.of();
    }
}
