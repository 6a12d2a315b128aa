package dev.tarn.session;

import dev.tarn.data.FeatureScaling;
import dev.tarn.data.Normalization;
import dev.tarn.data.Preprocessing;
import dev.tarn.data.PrincipalComponents;
import dev.tarn.data.PrincipalComponents.Scale;
import dev.tarn.io.SafeTensors;
import dev.tarn.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * How a {@link Preprocessing} stands in a weights file: a few numbers as metadata, many as tensors under reserved
 * names.
 */
final class StoredPreprocessing {
    /** What no parameter's path begins with. */
    static final String RESERVED = "tarn.";

    private static final String MEAN = "tarn.mean";
    private static final String STD = "tarn.std";
    private static final String KIND = "tarn.preprocessing";
    private static final String FEATURE_SCALING = "feature-scaling";
    private static final String PCA = "pca";
    private static final String WHITEN = "whiten";
    private static final String SHIFT_TENSOR = "tarn.preprocessing.shift";
    private static final String SCALE_TENSOR = "tarn.preprocessing.scale";
    private static final String MEAN_TENSOR = "tarn.preprocessing.mean";
    private static final String COMPONENTS_TENSOR = "tarn.preprocessing.components";
    private static final String VARIANCES_TENSOR = "tarn.preprocessing.variances";

    private StoredPreprocessing() {}

    static Map<String, String> metadata(Preprocessing preprocessing) {
        Map<String, String> metadata = new LinkedHashMap<>();
        switch (preprocessing) {
            case Normalization normalization -> {
                metadata.put(MEAN, ModelCard.numbersText(normalization.mean()));
                metadata.put(STD, ModelCard.numbersText(normalization.std()));
            }
            case FeatureScaling _ -> metadata.put(KIND, FEATURE_SCALING);
            case PrincipalComponents components -> metadata.put(KIND, components.scale() == Scale.KEPT ? PCA : WHITEN);
        }
        return metadata;
    }

    static Map<String, Tensor> tensors(Preprocessing preprocessing) {
        return switch (preprocessing) {
            case Normalization _ -> Map.of();
            case FeatureScaling scaling -> Map.of(SHIFT_TENSOR, scaling.shift(), SCALE_TENSOR, scaling.scale());
            case PrincipalComponents components ->
                Map.of(
                        MEAN_TENSOR, components.mean(),
                        COMPONENTS_TENSOR, components.components(),
                        VARIANCES_TENSOR, components.variances());
        };
    }

    /**
     * Reads it from a file, whose tensors it keeps using.
     *
     * @throws IllegalArgumentException if it makes no sense
     */
    static Preprocessing of(SafeTensors file) {
        Map<String, String> metadata = file.metadata();
        String kind = metadata.get(KIND);
        if (kind == null) {
            return new Normalization(
                    ModelCard.parseNumbers(ModelCard.require(metadata, MEAN)),
                    ModelCard.parseNumbers(ModelCard.require(metadata, STD)));
        }
        return switch (kind) {
            case FEATURE_SCALING -> new FeatureScaling(file.tensor(SHIFT_TENSOR), file.tensor(SCALE_TENSOR));
            case PCA, WHITEN ->
                new PrincipalComponents(
                        file.tensor(MEAN_TENSOR),
                        file.tensor(COMPONENTS_TENSOR),
                        file.tensor(VARIANCES_TENSOR),
                        kind.equals(PCA) ? Scale.KEPT : Scale.WHITENED);
            default -> throw new IllegalArgumentException("%s '%s' is unknown to this build".formatted(KIND, kind));
        };
    }
}
