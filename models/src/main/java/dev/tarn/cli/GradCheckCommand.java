package dev.tarn.cli;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.models.ModelZoo;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.session.GradientCheck;
import dev.tarn.session.ModelCard;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Compares a model's gradients with finite differences of its loss, in F64 on the reference kernels. */
@Command(
        name = "gradcheck",
        description = {
            "Compares a model's gradients with finite differences, in F64 on generated data.",
            "Deep models take minutes; a smaller --input is quicker, such as 3x16x16 for a ResNet."
        })
final class GradCheckCommand extends Subcommand {
    /** Of a network with kinks, which all models of the zoo are. */
    private static final double BOUND = 1e-4;

    private static final int CLASSES = 10;
    private static final long LARGEST = 64; // pixels along an edge, unless asked for: plain loops in F64 are slow

    @Mixin
    private ModelOption model = new ModelOption();

    @Option(
            names = "--input",
            paramLabel = "CxHxW",
            description = "Shape of an image (default: the model's, cut down to 64x64).")
    private @Nullable String input;

    @Option(names = "--batch", paramLabel = "N", description = "Images (default: ${DEFAULT-VALUE}).")
    private long batch = 4; // two values of a channel would leave batch normalisation nothing to learn from

    @Option(
            names = "--samples",
            paramLabel = "N",
            description = "Elements of each parameter that are compared (default: ${DEFAULT-VALUE}).")
    private long samples = 1;

    @Option(
            names = "--seed",
            paramLabel = "N",
            description = "Of weights, data and the choice of elements (default: ${DEFAULT-VALUE}).")
    private long seed = 1;

    @Mixin
    private Compute compute = new Compute();

    GradCheckCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() {
        ModelZoo.Entry entry = model.entry();
        if (batch < 1 || samples < 1) {
            throw new UsageException("--batch and --samples are at least 1, not %d and %d".formatted(batch, samples));
        }
        Shape image = input == null ? small(entry.image()) : ModelCard.parseImage(input);
        Shape shape = Shape.of(batch, image.size(0), image.size(1), image.size(2));
        try (OwnedMemory memory = OwnedMemory.open("generated batch")) {
            GradientCheck.Report report = GradientCheck.of(
                    entry.factory().create(CLASSES, image),
                    new CrossEntropyLoss(),
                    generated(memory, shape),
                    seed,
                    samples,
                    compute.options());
            print(report, shape);
            emit(report, shape);
            requireWithinBound(report);
        }
    }

    /** @throws FailedCheckException if a gradient is off, or nothing could be compared */
    static void requireWithinBound(GradientCheck.Report report) {
        if (report.skipped() == report.samples()) {
            throw new FailedCheckException("all elements lie at kinks, so nothing was compared; try another --seed");
        }
        if (!(report.worstError() < BOUND)) {
            throw new FailedCheckException(String.format(
                    Locale.ROOT,
                    "the gradient of %s is off by %.2g, more than %.0e",
                    report.worst(),
                    report.worstError(),
                    BOUND));
        }
    }

    private static Shape small(Shape image) {
        return Shape.of(image.size(0), Math.min(LARGEST, image.size(1)), Math.min(LARGEST, image.size(2)));
    }

    /** Standard normal images and uniform labels. */
    private Batch generated(OwnedMemory memory, Shape shape) {
        Rng rng = new Rng(seed, Rng.Stream.GRADIENT_CHECK, 0);
        Tensor images = Tensor.view(
                memory.allocate(shape.elementCount() * DType.F64.byteSize()), DType.F64, shape, Layout.CHANNELS_LAST);
        Tensor labels = Tensor.view(
                memory.allocate(batch * DType.I32.byteSize()), DType.I32, Shape.of(batch), Layout.ROW_MAJOR);
        images.fill(rng::nextGaussian);
        labels.fill(() -> rng.nextLong(CLASSES));
        return new Batch(images, labels, memory);
    }

    private void print(GradientCheck.Report report, Shape shape) {
        text().printf(
                        Locale.ROOT,
                        "%s, %s in F64: %,d elements of %,d parameters compared, %,d more skipped at kinks%n",
                        model.entry().name(),
                        shape,
                        report.samples() - report.skipped(),
                        report.errors().size(),
                        report.skipped());
        text().printf(Locale.ROOT, "worst: %s, relative error %.2g%n", report.worst(), report.worstError());
    }

    private void emit(GradientCheck.Report report, Shape shape) {
        report.errors().forEach((path, error) -> {
            Map<String, Object> parameter = new LinkedHashMap<>();
            parameter.put("event", "parameter");
            parameter.put("name", path);
            parameter.put("error", error);
            emit(parameter);
        });
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", "gradcheck");
        event.put("model", model.entry().name());
        event.put("input_shape", Arrays.stream(shape.toArray()).boxed().toList());
        event.put("samples", report.samples());
        event.put("skipped", report.skipped());
        event.put("worst", report.worst());
        event.put("worst_error", report.worstError());
        event.put("bound", BOUND);
        emit(event);
    }
}
