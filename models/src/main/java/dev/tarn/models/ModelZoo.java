package dev.tarn.models;

import dev.tarn.data.Augmentation;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Style;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import dev.tarn.tensor.Shape;
import java.util.List;

/** The architectures by name, each with the recipe that it is trained by unless told otherwise. */
public final class ModelZoo {
    /** Makes a network for a number of classes, images (C, H, W) and a style. */
    @FunctionalInterface
    public interface Factory {
        Layer create(int classes, Shape image, Style style);

        /** In the architecture's own style. */
        default Layer create(int classes, Shape image) {
            return create(classes, image, Style.OWN);
        }
    }

    /**
     * An architecture.
     *
     * @param image what it was made for, (C, H, W)
     */
    public record Entry(String name, Shape image, Factory factory, Recipe recipe) {}

    private static final Shape GREY_28 = Shape.of(1, 28, 28);
    private static final Shape COLOUR_32 = Shape.of(3, 32, 32);
    private static final Shape COLOUR_224 = Shape.of(3, 224, 224);

    private static final List<Entry> ENTRIES = List.of(
            new Entry("lenet5", GREY_28, LeNet5::new, recipe(10, 64, 0.02, 5e-4)),
            new Entry(
                    "resnet20",
                    COLOUR_32,
                    (classes, image, style) -> new ResNet20(classes, image.size(0), style),
                    recipe(30, 64, 0.05, 5e-4)),
            new Entry(
                    "mobilenet_v2",
                    COLOUR_224,
                    (classes, image, style) -> new MobileNetV2(classes, image.size(0), style),
                    recipe(150, 32, 0.0125, 4e-5)),
            new Entry(
                    "vgg11",
                    COLOUR_32,
                    (classes, image, style) -> new Vgg11(classes, image.size(0), style),
                    recipe(30, 64, 0.02, 5e-4)),
            new Entry(
                    "resnet18",
                    COLOUR_32,
                    (classes, image, style) -> new ResNet18(classes, image.size(0), style),
                    recipe(30, 64, 0.02, 5e-4)),
            new Entry(
                    "resnet50",
                    COLOUR_224,
                    (classes, image, style) -> new ResNet50(classes, image.size(0), style),
                    recipe(90, 32, 0.0125, 1e-4)));

    private ModelZoo() {}

    private static Recipe recipe(long epochs, long batch, double rate, double weightDecay) {
        var sgd = new SGD().momentum(0.9).weightDecay(weightDecay).nesterov();
        return new Recipe(epochs, batch, sgd, Schedule.COSINE, rate, 0, Augmentation.NONE, 1);
    }

    /** All names, the smallest network first. */
    public static List<String> names() {
        return ENTRIES.stream().map(Entry::name).toList();
    }

    /** @throws IllegalArgumentException if there is none of that name; the message lists what there is */
    public static Entry find(String name) {
        return ENTRIES.stream()
                .filter(e -> e.name().equals(name))
                .findAny()
                .orElseThrow(() -> new IllegalArgumentException(
                        "there is no model '%s'; choose one of %s".formatted(name, String.join(", ", names()))));
    }

    /**
     * The network that a card describes.
     *
     * @throws IllegalArgumentException as {@link #find}
     */
    public static Layer create(ModelCard card) {
        return find(card.architecture()).factory().create(card.classes(), card.image(), card.style());
    }
}
