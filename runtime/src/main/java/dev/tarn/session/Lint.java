package dev.tarn.session;

import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A warning about a network, its data or its training: something that is allowed and seldom meant.
 *
 * @param path of the layer or parameter that it is about; {@code images} for the data, empty for a run as a whole
 * @param reason one sentence
 */
public record Lint(Id id, String path, String reason) {
    /** What is warned of. */
    public enum Id {
        /** Sigmoid or tanh in front of a layer with weights. */
        SIGMOID_HIDDEN,
        /** All weights of a layer are the same number. */
        EQUAL_WEIGHTS,
        /** Images whose values have one sign, or are further from zero than they vary. */
        UNCENTRED_INPUT,
        /** Images whose values are of an unusual size. */
        INPUT_RANGE,
        /** Dropout beside or before batch normalisation. */
        DROPOUT_BATCHNORM,
        /** Convolutions without padding that take away more than half of the rows or columns. */
        SHRINKING,
        /** Units that are zero whatever the image. */
        DEAD_UNITS,
        /** Sigmoid or tanh that hardly passes a gradient. */
        SATURATED,
        /** Gradients that are far smaller than in the last layer. */
        VANISHING_GRADIENT,
        /** Gradients that are far larger than in the last layer, or not finite. */
        EXPLODING_GRADIENT,
        /** Steps that are far too long or too short for the weights. */
        UPDATE_RATIO,
        /** Training images are predicted far better than others. */
        TRAIN_GAP;

        /** Its name for people and options: {@code sigmoid-hidden}. */
        public String label() {
            return name().toLowerCase(Locale.ROOT).replace('_', '-');
        }

        /**
         * Reads a list such as {@code sigmoid-hidden,shrinking}, or {@code all}.
         *
         * @throws IllegalArgumentException if a name is unknown; the message lists those that are known
         */
        public static Set<Id> parse(String list) {
            Set<Id> ids = EnumSet.noneOf(Id.class);
            for (String name : list.split(",")) {
                List<Id> named = Stream.of(values())
                        .filter(id -> name.equals("all") || name.equals(id.label()))
                        .toList();
                if (named.isEmpty()) {
                    throw new IllegalArgumentException("there is no warning '%s'; use all or some of %s"
                            .formatted(name, Stream.of(values()).map(Id::label).collect(Collectors.joining(", "))));
                }
                ids.addAll(named);
            }
            return ids;
        }
    }

    /** One line, with the way to silence it. */
    @Override
    public String toString() {
        return "%s%s [--silence %s]".formatted(path.isEmpty() ? "" : path + ": ", reason, id.label());
    }
}
