package dev.tarn.cli;

import dev.tarn.models.ModelZoo;
import dev.tarn.nn.Layer;
import dev.tarn.session.ModelCard;
import dev.tarn.tensor.Shape;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** A network that is looked at without data, and the batch that it would run on. */
final class NetworkOptions {
    /**
     * What the options name.
     *
     * @param input (N, C, H, W)
     */
    record Network(ModelZoo.Entry entry, Layer layer, Shape input) {}

    @Mixin
    private ModelOption model = new ModelOption();

    @Option(names = "--input", paramLabel = "CxHxW", description = "Shape of an image (default: the model's).")
    private @Nullable String input;

    @Option(names = "--batch", paramLabel = "N", description = "Images at a time (default: the model's).")
    private @Nullable Long batch;

    Network network(int classes) {
        ModelZoo.Entry entry = model.entry();
        Shape image = input == null ? entry.image() : ModelCard.parseImage(input);
        long images = batch == null ? entry.recipe().batchSize() : batch;
        if (classes < 1 || images < 1) {
            throw new UsageException("--classes and --batch are at least 1, not %d and %d".formatted(classes, images));
        }
        Shape shape = Shape.of(images, image.size(0), image.size(1), image.size(2));
        return new Network(entry, entry.factory().create(classes, image), shape);
    }
}
