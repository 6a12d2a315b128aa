package dev.tarn.session;

import dev.tarn.data.Preprocessing;
import dev.tarn.io.FileFormatException;
import dev.tarn.io.SafeTensors;
import dev.tarn.nn.Style;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What a weights file must say beside its numbers to be of use. It is stored in the file's metadata under these keys:
 *
 * <pre>
 * tarn.architecture   a name such as lenet5
 * tarn.image          channels, rows and columns, such as 1x28x28
 * tarn.class_names    the classes in the order of their numbers, separated by line feeds
 *
 * tarn.activation     where it is not the architecture's own, such as leaky-relu=0.1
 * tarn.dropout_keep   likewise, such as 0.5
 * </pre>
 *
 * and, for what images go through, one of
 *
 * <pre>
 * tarn.mean           one number for each channel, separated by commas, on the scale of 0 to 1
 * tarn.std            likewise
 *
 * tarn.preprocessing  feature-scaling, pca or whiten; the statistics are tensors named tarn.preprocessing.*
 * </pre>
 *
 * @param image (C, H, W)
 */
public record ModelCard(
        String architecture, Style style, Shape image, Preprocessing preprocessing, List<String> classNames) {
    private static final String ARCHITECTURE = "tarn.architecture";
    private static final String IMAGE = "tarn.image";
    private static final String CLASS_NAMES = "tarn.class_names";

    public ModelCard {
        classNames = List.copyOf(classNames);
        if (image.rank() != 3 || classNames.isEmpty()) {
            throw new IllegalArgumentException(
                    "a model takes images (C, H, W) and knows at least one class, not %s and %d classes"
                            .formatted(image, classNames.size()));
        }
        preprocessing.requireImages(image);
    }

    /** Of a network in its architecture's own style. */
    public ModelCard(String architecture, Shape image, Preprocessing preprocessing, List<String> classNames) {
        this(architecture, Style.OWN, image, preprocessing, classNames);
    }

    /** Number of classes. */
    public int classes() {
        return classNames.size();
    }

    /** The card as a file's metadata. */
    public Map<String, String> toMetadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        metadata.put(ARCHITECTURE, architecture);
        metadata.putAll(style.toMetadata());
        metadata.put(IMAGE, imageText(image));
        metadata.putAll(StoredPreprocessing.metadata(preprocessing));
        metadata.put(CLASS_NAMES, String.join("\n", classNames));
        return metadata;
    }

    /** What belongs to the card and is too large for metadata: tensors that a file has beside the weights. */
    public Map<String, Tensor> toTensors() {
        return StoredPreprocessing.tensors(preprocessing);
    }

    /**
     * Reads the card from a file; empty if the file comes from elsewhere and has none.
     *
     * @throws FileFormatException if there is one and it makes no sense
     */
    public static Optional<ModelCard> of(Path path, SafeTensors file) throws FileFormatException {
        Map<String, String> metadata = file.metadata();
        if (!metadata.containsKey(ARCHITECTURE)) {
            return Optional.empty();
        }
        try {
            return Optional.of(new ModelCard(
                    require(metadata, ARCHITECTURE),
                    Style.of(metadata),
                    parseImage(require(metadata, IMAGE)),
                    StoredPreprocessing.of(file),
                    List.of(require(metadata, CLASS_NAMES).split("\n", -1))));
        } catch (IllegalArgumentException e) {
            throw new FileFormatException(path, "its metadata describe no model: " + e.getMessage(), e);
        }
    }

    static String require(Map<String, String> metadata, String key) {
        String value = metadata.get(key);
        if (value == null) {
            throw new IllegalArgumentException(key + " is missing");
        }
        return value;
    }

    /** {@code 1x28x28} for (1, 28, 28). */
    public static String imageText(Shape image) {
        return Arrays.stream(image.toArray()).mapToObj(Long::toString).collect(Collectors.joining("x"));
    }

    /** @throws IllegalArgumentException if the text is not of the form CxHxW */
    public static Shape parseImage(String text) {
        if (!text.matches("[1-9][0-9]{0,5}x[1-9][0-9]{0,5}x[1-9][0-9]{0,5}")) {
            throw new IllegalArgumentException(
                    "'%s' is not channels x rows x columns; write for instance 3x32x32".formatted(text));
        }
        return Shape.of(
                Arrays.stream(text.split("x", -1)).mapToLong(Long::parseLong).toArray());
    }

    static String numbersText(List<Float> numbers) {
        return numbers.stream().map(String::valueOf).collect(Collectors.joining(","));
    }

    /** @throws IllegalArgumentException if the text is not numbers separated by commas */
    public static List<Float> parseNumbers(String text) {
        try {
            return Arrays.stream(text.split(",", -1))
                    .map(number -> Float.valueOf(number.strip()))
                    .toList();
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "'%s' is not a list of numbers; write for instance 0.485,0.456,0.406".formatted(text), e);
        }
    }
}
