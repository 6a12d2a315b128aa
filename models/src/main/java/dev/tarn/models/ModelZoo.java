package dev.tarn.models;

import dev.tarn.data.Augmentation;
import dev.tarn.models.Vgg.Convolutions;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Style;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import dev.tarn.tensor.Shape;
import java.util.List;

/**
 * The architectures by name, each with the recipe that it is trained by unless told otherwise. Names and, for images of 224 x 224,
 * parameters are torchvision's; ResNet and VGG, {@code resnet18} and {@code vgg11} above all, have another form for images of up to
 * 64 x 64, and {@code resnet20} to {@code resnet110} are the paper's networks for CIFAR.
 */
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
     * @param image what it is mostly used for, (C, H, W)
     */
    public record Entry(String name, Shape image, Factory factory, Recipe recipe) {}

    private static final Shape GREY_28 = Shape.of(1, 28, 28);
    private static final Shape COLOUR_32 = Shape.of(3, 32, 32);
    private static final Shape COLOUR_224 = Shape.of(3, 224, 224);

    // The papers' rates, which are for batches of 128 to 512, divided as the batch is.
    private static final Recipe VGG = recipe(74, 32, 0.00125, 5e-4);
    private static final Recipe RESNET = recipe(90, 32, 0.0125, 1e-4);
    private static final Recipe MOBILENET = recipe(150, 32, 0.0125, 4e-5);

    private static final List<Entry> ENTRIES = List.of(
            new Entry("lenet5", GREY_28, LeNet5::new, recipe(10, 64, 0.02, 5e-4)),
            cifarResNet(20),
            cifarResNet(32),
            cifarResNet(44),
            cifarResNet(56),
            cifarResNet(110),
            new Entry(
                    "alexnet",
                    COLOUR_224,
                    (classes, image, style) -> new AlexNet(classes, image.size(0), style),
                    recipe(90, 32, 0.0025, 5e-4)),
            vgg(11, Convolutions.PLAIN, COLOUR_32, recipe(30, 64, 0.02, 5e-4)),
            vgg(13, Convolutions.PLAIN, COLOUR_224, VGG),
            vgg(16, Convolutions.PLAIN, COLOUR_224, VGG),
            vgg(19, Convolutions.PLAIN, COLOUR_224, VGG),
            vgg(11, Convolutions.NORMALIZED, COLOUR_224, VGG),
            vgg(13, Convolutions.NORMALIZED, COLOUR_224, VGG),
            vgg(16, Convolutions.NORMALIZED, COLOUR_224, VGG),
            vgg(19, Convolutions.NORMALIZED, COLOUR_224, VGG),
            resNet(18, COLOUR_32, recipe(30, 64, 0.02, 5e-4)),
            resNet(34, COLOUR_224, RESNET),
            resNet(50, COLOUR_224, RESNET),
            resNet(101, COLOUR_224, RESNET),
            resNet(152, COLOUR_224, RESNET),
            new Entry(
                    "densenet121",
                    COLOUR_224,
                    (classes, image, style) -> new DenseNet(classes, image.size(0), style),
                    RESNET),
            new Entry(
                    "squeezenet1_1",
                    COLOUR_224,
                    (classes, image, style) -> new SqueezeNet(classes, image.size(0), style),
                    recipe(90, 32, 0.0025, 2e-4)),
            mobileNetV1("mobilenet_v1", 1),
            mobileNetV1("mobilenet_v1_x0_75", 0.75),
            mobileNetV1("mobilenet_v1_x0_5", 0.5),
            mobileNetV1("mobilenet_v1_x0_25", 0.25),
            new Entry(
                    "mobilenet_v2",
                    COLOUR_224,
                    (classes, image, style) -> new MobileNetV2(classes, image.size(0), style),
                    MOBILENET));

    private ModelZoo() {}

    private static Recipe recipe(long epochs, long batch, double rate, double weightDecay) {
        var sgd = new SGD().momentum(0.9).weightDecay(weightDecay).nesterov();
        return new Recipe(epochs, batch, sgd, Schedule.COSINE, rate, new CrossEntropyLoss(), Augmentation.NONE, 1);
    }

    private static Entry cifarResNet(int depth) {
        return new Entry(
                "resnet" + depth,
                COLOUR_32,
                (classes, image, style) -> new CifarResNet(depth, classes, image.size(0), style),
                recipe(30, 64, 0.05, 5e-4));
    }

    private static Entry resNet(int depth, Shape image, Recipe recipe) {
        return new Entry(
                "resnet" + depth, image, (classes, images, style) -> new ResNet(depth, classes, images, style), recipe);
    }

    private static Entry vgg(int depth, Convolutions convolutions, Shape image, Recipe recipe) {
        return new Entry(
                "vgg" + depth + (convolutions == Convolutions.NORMALIZED ? "_bn" : ""),
                image,
                (classes, images, style) -> new Vgg(depth, convolutions, classes, images, style),
                recipe);
    }

    private static Entry mobileNetV1(String name, double width) {
        return new Entry(
                name,
                COLOUR_224,
                (classes, image, style) -> new MobileNetV1(width, classes, image.size(0), style),
                MOBILENET);
    }

    /** All names, family by family. */
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
