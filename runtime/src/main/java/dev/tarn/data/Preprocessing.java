package dev.tarn.data;

import dev.tarn.tensor.Shape;

/**
 * What happens to the numbers of every image before a network sees it. The statistics are of the training split
 * alone, are computed in double precision or exactly, are stored in the model's file, and are applied unchanged to
 * whatever comes later.
 *
 * <p>Images go in as bytes (C, H, W) and come out as floats of the same shape, so that any network takes any of these.
 */
public sealed interface Preprocessing permits Normalization, FeatureScaling, PrincipalComponents {
    /** The mean and the standard deviation of each channel: what images are commonly given, and the default. */
    String DEFAULT = "channel-mean-std";

    /** All choices, for messages. */
    String CHOICES = "channel-mean-std, channel-mean, mean-image, feature, min-max, pca=K, whiten=K or none";

    /** @throws IllegalArgumentException if the statistics are not of images (C, H, W) of that shape */
    void requireImages(Shape image);

    /**
     * Measures the statistics that a choice needs.
     *
     * @param choice {@code channel-mean-std}, {@code channel-mean}, {@code mean-image}, {@code feature},
     *     {@code min-max}, {@code pca=K}, {@code whiten=K}, or {@code none} for the scale of 0 to 1 alone
     * @param train the training split
     * @throws IllegalArgumentException if there is no such choice, or not so many components
     */
    static Preprocessing measure(String choice, Dataset train) {
        int equals = choice.indexOf('=');
        return switch (equals < 0 ? choice : choice.substring(0, equals + 1)) {
            case DEFAULT -> Normalization.measure(train);
            case "channel-mean" -> Normalization.measureMean(train);
            case "mean-image" -> FeatureScaling.meanImage(train);
            case "feature" -> FeatureScaling.standard(train);
            case "min-max" -> FeatureScaling.minMax(train);
            case "pca=" -> PrincipalComponents.measure(train, count(choice), PrincipalComponents.Scale.KEPT);
            case "whiten=" -> PrincipalComponents.measure(train, count(choice), PrincipalComponents.Scale.WHITENED);
            case "none" -> Normalization.unit((int) train.imageShape().size(0));
            default ->
                throw new IllegalArgumentException("preprocessing '%s' is unknown; use %s".formatted(choice, CHOICES));
        };
    }

    private static int count(String choice) {
        String number = choice.substring(choice.indexOf('=') + 1);
        try {
            return Integer.parseInt(number);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "preprocessing '%s': '%s' is not a number of components".formatted(choice, number), e);
        }
    }
}
