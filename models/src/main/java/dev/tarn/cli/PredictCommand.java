package dev.tarn.cli;

import dev.tarn.data.Batch;
import dev.tarn.data.DataLoader;
import dev.tarn.data.DataUri;
import dev.tarn.data.Dataset;
import dev.tarn.data.Fit;
import dev.tarn.data.ImageFiles;
import dev.tarn.data.Split;
import dev.tarn.io.AtomicFile;
import dev.tarn.io.Json;
import dev.tarn.session.Metrics;
import dev.tarn.session.ModelCard;
import dev.tarn.session.MonteCarloSession;
import dev.tarn.session.MonteCarloSession.Of;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Predicts the classes of pictures and of all images of data sets' test splits, as JSON Lines. */
@Command(name = "predict", description = "Predicts the class of every image; one line of JSON each.")
final class PredictCommand extends Subcommand {
    @Mixin
    private WeightsOptions weights = new WeightsOptions();

    @Option(
            names = "--input",
            required = true,
            arity = "1..*",
            paramLabel = "FILE|URI",
            description =
                    "Pictures (JPEG, PNG), or idx:DIR, cifar10:DIR, folder:DIR or digits:N; the test split of each.")
    private List<String> inputs = List.of();

    @Mixin
    private PictureOptions pictures = new PictureOptions();

    @Option(
            names = "--output",
            paramLabel = "FILE",
            description = "Write there instead of standard output; the file appears when it is complete.")
    private @Nullable Path output;

    @Option(
            names = "--top",
            paramLabel = "K",
            description = "Most probable classes to list (default: ${DEFAULT-VALUE}).")
    private int top = 5;

    @Option(names = "--batch", paramLabel = "N", description = "Images at a time (default: ${DEFAULT-VALUE}).")
    private long batch = 256;

    @Option(
            names = "--mc-passes",
            paramLabel = "K",
            description =
                    "Run each batch K times with dropout and its like drawing as in training, and give the mean and the"
                            + " spread (standard deviation) of the probabilities; 0 is one pass without draws.")
    private @Nullable Integer passes;

    @Mixin
    private Compute compute = new Compute();

    @Mixin
    private Precision precision = new Precision();

    PredictCommand(Streams streams) {
        super(streams);
    }

    /** Images, and what they are called. */
    private record Input(Dataset images, LongFunction<Map<String, Object>> naming) {}

    /** What comes out for the images of a batch: probabilities by row, and their spread, null where there are no passes. */
    private record Predicted(
            LongFunction<double[]> probabilities, @Nullable LongFunction<double[]> spread) {}

    /** Takes one line of output. */
    @FunctionalInterface
    private interface Sink {
        void write(Map<String, Object> prediction) throws IOException;
    }

    @Override
    void execute() throws IOException {
        if (top < 1 || batch < 1) {
            throw new UsageException("--top and --batch are at least 1, not %d and %d".formatted(top, batch));
        }
        if (passes != null && (passes < 0 || precision.isBf16())) {
            throw new UsageException("--mc-passes is at least 0 and needs --precision f32, for masks are drawn in it");
        }
        List<Input> images = open(weights.fit());
        ModelCard card = weights.card(images.getFirst().images());
        for (Input input : images) {
            WeightsOptions.requireImages(
                    card, input.images(), String.valueOf(input.naming().apply(0).get("input")));
        }
        Path target = output;
        if (target == null) {
            predict(card, images, this::emitAlways);
            return;
        }
        requireWritable(target);
        AtomicFile.write(
                target,
                channel -> predict(
                        card, images, prediction -> AtomicFile.writeFully(channel, Json.line(prediction) + "\n")));
    }

    /** In the order in which they were asked for; files that follow one another go through the network together. */
    private List<Input> open(Fit fit) {
        List<Input> opened = new ArrayList<>();
        List<Path> files = new ArrayList<>();
        for (String input : inputs) {
            if (isFile(input)) {
                files.add(Path.of(input));
                continue;
            }
            addFiles(opened, files, fit);
            Dataset images = DataUri.open(input, Split.TEST, 1, fit, pictures.corrupt());
            opened.add(new Input(images, index -> naming(input, index)));
        }
        addFiles(opened, files, fit);
        return opened;
    }

    private static boolean isFile(String input) {
        try {
            return Files.isRegularFile(Path.of(input));
        } catch (InvalidPathException e) {
            return false;
        }
    }

    private void addFiles(List<Input> opened, List<Path> files, Fit fit) {
        if (!files.isEmpty()) {
            ImageFiles images = ImageFiles.of(List.copyOf(files), fit, pictures.corrupt());
            opened.add(new Input(images, index -> naming(images.file(index).toString(), 0)));
            files.clear();
        }
    }

    private static Map<String, Object> naming(String input, long index) {
        Map<String, Object> prediction = new LinkedHashMap<>();
        prediction.put("input", input);
        prediction.put("index", index);
        return prediction;
    }

    private static void requireWritable(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(file) || !Files.isWritable(folder)) {
            throw new UsageException(
                    "%s cannot be written; name a file in a folder that exists and may be written to".formatted(file));
        }
    }

    private void predict(ModelCard card, List<Input> opened, Sink sink) throws IOException {
        Shape image = card.image();
        long largest = opened.stream().mapToLong(i -> i.images().size()).max().orElse(1);
        long start = System.nanoTime();
        Shape input = Shape.of(Math.min(batch, largest), image.size(0), image.size(1), image.size(2));
        try (var model = weights.load(card)) {
            if (passes == null) {
                try (var session = model.inference(input, precision.applyTo(compute.options()))) {
                    predict(images -> predicted(session.run(images)), card, opened, sink);
                }
            } else {
                try (var session = model.monteCarlo(input, passes, Of.PROBABILITIES, compute.options())) {
                    predict(images -> predicted(session.run(images)), card, opened, sink);
                }
            }
        }
        long examples = opened.stream().mapToLong(i -> i.images().size()).sum();
        errors().printf(Locale.ROOT, "%,d images in %.2f s%n", examples, (System.nanoTime() - start) / 1e9);
    }

    private static Predicted predicted(Tensor logits) {
        return new Predicted(row -> Metrics.probabilities(logits, row), null);
    }

    private static Predicted predicted(MonteCarloSession.Estimate estimate) {
        return new Predicted(row -> row(estimate.mean(), row), row -> row(estimate.spread(), row));
    }

    private static double[] row(Tensor tensor, long row) {
        double[] values = new double[Math.toIntExact(tensor.shape().size(1))];
        Arrays.setAll(values, c -> tensor.getAt(row * values.length + c));
        return values;
    }

    private void predict(Function<Batch, Predicted> network, ModelCard card, List<Input> opened, Sink sink)
            throws IOException {
        for (Input input : opened) {
            try (var loader = DataLoader.of(input.images(), batch)
                    .readers(compute.options().threads())
                    .preprocessed(card.preprocessing())) {
                long index = 0;
                for (Batch images : loader.epoch(0)) {
                    Predicted predicted = network.apply(images);
                    for (long row = 0; row < images.size(); row++) {
                        Map<String, Object> prediction = input.naming().apply(index++);
                        prediction.put("top", top(card, predicted, row));
                        sink.write(prediction);
                    }
                }
            }
        }
    }

    /** The most probable classes, of equals the first. */
    private List<Map<String, Object>> top(ModelCard card, Predicted predicted, long row) {
        double[] probabilities = predicted.probabilities().apply(row);
        LongFunction<double[]> spreads = predicted.spread();
        double[] spread = spreads == null ? new double[0] : spreads.apply(row);
        Integer[] order = new Integer[probabilities.length];
        Arrays.setAll(order, c -> c);
        Arrays.sort(order, Comparator.comparingDouble((Integer c) -> -probabilities[c]));
        List<Map<String, Object>> classes = new ArrayList<>();
        for (int c : Arrays.copyOf(order, Math.min(top, order.length))) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("class", c);
            entry.put("name", card.classNames().get(c));
            entry.put("probability", probabilities[c]);
            if (spreads != null) {
                entry.put("spread", spread[c]);
            }
            classes.add(entry);
        }
        return classes;
    }
}
