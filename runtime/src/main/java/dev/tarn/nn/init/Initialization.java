package dev.tarn.nn.init;

import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How a model's first values differ from those that its layers ask for. It reaches weights and the biases beside
 * them; normalisation layers, which have no weights of role {@link Role#WEIGHT}, keep their own.
 *
 * @param weight of all weights, or null for each layer's own
 * @param bias of the biases beside weights, or null for each layer's own
 * @param rescaling whether weights are scaled by what the first batch makes of them
 */
public record Initialization(
        @Nullable Initializer weight, @Nullable Initializer bias, Rescaling rescaling) {
    /** What happens to weights after they are drawn. */
    public enum Rescaling {
        NONE,
        /** Layer by layer, so that the outputs of each for the first batch have variance 1 (LSUV). */
        UNIT_VARIANCE
    }

    /** All names, for messages. */
    public static final String NAMES =
            "he, xavier, xavier-average, lecun, orthogonal, lsuv, gaussian=0.01 or constant=0";

    /** As the layers ask for. */
    public static final Initialization OWN = new Initialization(null, null, Rescaling.NONE);

    /**
     * Reads a name.
     *
     * @param name {@code he}, {@code xavier}, {@code xavier-average} or {@code lecun}, of both distributions;
     *     {@code orthogonal}, {@code lsuv}, {@code gaussian=STD} or {@code constant=VALUE}
     * @throws IllegalArgumentException if there is none of that name, or not in that distribution
     */
    public static Initialization parse(String name, Distribution distribution) {
        String[] parts = name.split("=", 2);
        Initializer scaled = parts.length > 1
                ? null
                : switch (name) {
                    case "he" -> He.of(distribution, 0);
                    case "xavier" -> Xavier.of(distribution);
                    case "xavier-average" -> XavierAverage.of(distribution);
                    case "lecun" -> LeCun.of(distribution);
                    default -> null;
                };
        if (scaled != null) {
            return new Initialization(scaled, null, Rescaling.NONE);
        }
        if (distribution != Distribution.NORMAL) {
            throw new IllegalArgumentException(
                    "initialiser '%s' is not of uniform numbers; he, xavier, xavier-average and lecun are"
                            .formatted(name));
        }
        if (parts.length > 1) {
            double number = number(name, parts[1]);
            return switch (parts[0]) {
                case "gaussian" -> new Initialization(Gaussian.of(number), null, Rescaling.NONE);
                case "constant" -> new Initialization(Initializer.constant(number), null, Rescaling.NONE);
                default -> throw unknown(name);
            };
        }
        return switch (name) {
            case "orthogonal" -> new Initialization(Orthogonal.create(), null, Rescaling.NONE);
            case "lsuv" -> new Initialization(Orthogonal.create(), null, Rescaling.UNIT_VARIANCE);
            default -> throw unknown(name);
        };
    }

    private static double number(String name, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("initialiser '%s': '%s' is not a number".formatted(name, text), e);
        }
    }

    private static IllegalArgumentException unknown(String name) {
        return new IllegalArgumentException("initialiser '%s' is unknown; use %s".formatted(name, NAMES));
    }

    /** The same with a constant for the biases beside weights; 0.01 keeps ReLUs from being dead at the start. */
    public Initialization withBias(double value) {
        return new Initialization(weight, Initializer.constant(value), rescaling);
    }

    /** The initialiser of a parameter among all of its model, by path. */
    public Initializer of(String path, Map<String, Parameter> all) {
        Parameter parameter = all.get(path);
        if (parameter == null) {
            throw new IllegalArgumentException("there is no parameter " + path);
        }
        Initializer instead = null;
        if (parameter.role() == Role.WEIGHT) {
            instead = weight;
        } else if (parameter.name().equals("bias")) {
            Parameter beside = all.get(path.substring(0, path.length() - "bias".length()) + "weight");
            instead = beside != null && beside.role() == Role.WEIGHT ? bias : null;
        }
        return instead == null ? parameter.initializer() : instead;
    }
}
