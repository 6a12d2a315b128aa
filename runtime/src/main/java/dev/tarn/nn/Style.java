package dev.tarn.nn;

import dev.tarn.nn.init.Distribution;
import dev.tarn.nn.init.He;
import dev.tarn.nn.init.Initialization;
import dev.tarn.nn.init.Initialization.Rescaling;
import dev.tarn.nn.init.LeCun;
import dev.tarn.nn.init.Xavier;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What may differ in a network without another architecture: it is handed to the architecture's constructor, which asks it for
 * activations, normalisations and dropout, and gets what the architecture has itself where nothing else was said. Names of
 * parameters do not depend on it; activations that learn add some, and normalisations have those that they need.
 *
 * @param activation a name among {@link #ACTIVATIONS}, or null for the architecture's own
 * @param normalization a name among {@link #NORMALIZATIONS}, or null for the architecture's own
 * @param keep the probability with which dropout keeps an element, in (0, 1], or null for the architecture's own
 */
public record Style(
        @Nullable String activation,
        @Nullable String normalization,
        @Nullable Double keep) {
    /** As the architecture has it. */
    public static final Style OWN = new Style(null, null, null);

    /** All names of activations, for messages. */
    public static final String ACTIVATIONS =
            "relu, relu6, leaky-relu=0.01, prelu (one slope), prelu-channel, elu=1, selu,"
                    + " swish=1, swish-learned, sigmoid or tanh";

    /** All names of normalisations, for messages. */
    public static final String NORMALIZATIONS = "batch, batch-deviation, layer, instance or group=32";

    private static final String NORMALIZATION_KEY = "tarn.normalization";
    private static final String ACTIVATION_KEY = "tarn.activation";
    private static final String KEEP_KEY = "tarn.dropout_keep";
    private static final double LEAKY_SLOPE = 0.01;
    private static final double PRELU_SLOPE = 0.25;

    /** @throws IllegalArgumentException if there is no such activation, or no such probability */
    public Style {
        if (activation != null) {
            activation = activation.toLowerCase(Locale.ROOT);
            layer(activation, 1);
        }
        if (normalization != null) {
            normalization = normalization.toLowerCase(Locale.ROOT);
            if (!normalization.matches("batch|batch-deviation|layer|instance|group=[1-9][0-9]{0,5}")) {
                throw new IllegalArgumentException(
                        "normalisation '%s' is unknown; use %s".formatted(normalization, NORMALIZATIONS));
            }
        }
        if (keep != null) {
            Dropout.keep(keep);
        }
    }

    /** A new activation, ReLU unless something else was said. */
    public Layer activation(long channels) {
        return activation(channels, new ReLU());
    }

    /**
     * A new activation.
     *
     * @param channels of what it is applied to, for activations that learn a number for each
     * @param own the architecture's
     */
    public Layer activation(long channels, Layer own) {
        return activation == null ? own : layer(activation, channels);
    }

    /**
     * A new normalisation, that of the batch unless something else was said.
     *
     * @throws IllegalArgumentException if groups were said that do not divide the channels
     */
    public Layer normalization(long channels) {
        return normalization(channels, new BatchNorm2d(channels));
    }

    /**
     * A new normalisation.
     *
     * @param own the architecture's
     * @throws IllegalArgumentException if groups were said that do not divide the channels
     */
    public Layer normalization(long channels, Layer own) {
        return switch (normalization) {
            case null -> own;
            case "batch" -> new BatchNorm2d(channels);
            case "batch-deviation" -> BatchNorm2d.ofDeviations(channels);
            case "layer" -> new LayerNorm(channels);
            case "instance" -> new InstanceNorm2d(channels);
            default -> new GroupNorm(Long.parseLong(normalization.substring("group=".length())), channels);
        };
    }

    /**
     * For an architecture that has no normalisation.
     *
     * @throws IllegalArgumentException if another was said
     */
    public void refuseNormalization(String architecture) {
        if (normalization != null) {
            throw new IllegalArgumentException(
                    architecture + " has no normalisation that another could take the place of");
        }
    }

    /** A new dropout, none unless something was said. */
    public Layer dropout() {
        return dropout(new Identity());
    }

    /**
     * A new dropout.
     *
     * @param own the architecture's
     */
    public Layer dropout(Layer own) {
        return keep == null ? own : Dropout.keep(keep);
    }

    /**
     * First values that suit the activation: LeCun's normal numbers for SELU, which needs them, Xavier's for sigmoid and tanh, He's with
     * the gain of the slope for leaky ReLU and PReLU (which starts at 0.25); for all others those that layers ask for.
     */
    public Initialization initialization() {
        if (activation == null) {
            return Initialization.OWN;
        }
        String[] parts = activation.split("=", 2);
        var weight = switch (parts[0]) {
            case "selu" -> LeCun.normal();
            case "sigmoid", "tanh" -> Xavier.normal();
            case "leaky-relu" -> He.of(Distribution.NORMAL, number(parts, LEAKY_SLOPE));
            case "prelu", "prelu-channel" -> He.of(Distribution.NORMAL, PRELU_SLOPE);
            default -> null;
        };
        return new Initialization(weight, null, Rescaling.NONE);
    }

    private static Layer layer(String text, long channels) {
        String[] parts = text.split("=", 2);
        return switch (parts.length == 1 ? text : parts[0] + "=") {
            case "relu" -> new ReLU();
            case "relu6" -> new ReLU6();
            case "leaky-relu", "leaky-relu=" -> new LeakyReLU(number(parts, LEAKY_SLOPE));
            case "prelu" -> new PReLU(1, PRELU_SLOPE);
            case "prelu-channel" -> new PReLU(channels, PRELU_SLOPE);
            case "elu", "elu=" -> new ELU(number(parts, 1));
            case "selu" -> new SELU();
            case "swish", "swish=" -> new Swish(number(parts, 1));
            case "swish-learned" -> Swish.learned(1);
            case "sigmoid" -> new Sigmoid();
            case "tanh" -> new Tanh();
            case "maxout", "maxout=" ->
                throw new IllegalArgumentException(
                        "maxout takes several outputs for each of its own, so that it needs an architecture made for"
                                + " it; use "
                                + ACTIVATIONS);
            default ->
                throw new IllegalArgumentException("activation '%s' is unknown; use %s".formatted(text, ACTIVATIONS));
        };
    }

    private static double number(String[] parts, double standard) {
        if (parts.length == 1) {
            return standard;
        }
        try {
            return Double.parseDouble(parts[1]);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "activation '%s': '%s' is not a number".formatted(parts[0], parts[1]), e);
        }
    }

    /** What was said, as files keep it: {@code tarn.activation}, {@code tarn.normalization} and {@code tarn.dropout_keep}; nothing for what was not. */
    public Map<String, String> toMetadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        if (activation != null) {
            metadata.put(ACTIVATION_KEY, activation);
        }
        if (normalization != null) {
            metadata.put(NORMALIZATION_KEY, normalization);
        }
        if (keep != null) {
            metadata.put(KEEP_KEY, keep.toString());
        }
        return metadata;
    }

    /**
     * The style of {@link #toMetadata} among other metadata.
     *
     * @throws IllegalArgumentException if a value is not what it has to be
     */
    public static Style of(Map<String, String> metadata) {
        String keep = metadata.get(KEEP_KEY);
        return new Style(
                metadata.get(ACTIVATION_KEY),
                metadata.get(NORMALIZATION_KEY),
                keep == null ? null : Double.valueOf(keep));
    }
}
