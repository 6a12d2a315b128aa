package dev.tarn.cli;

import dev.tarn.data.Batch;
import dev.tarn.data.DataLoader;
import dev.tarn.data.DataUri;
import dev.tarn.data.Dataset;
import dev.tarn.data.Split;
import dev.tarn.io.AtomicFile;
import dev.tarn.io.Json;
import dev.tarn.session.InferenceSession;
import dev.tarn.session.Metrics;
import dev.tarn.session.ModelCard;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Predicts the classes of all images of the inputs' test splits, as JSON Lines. */
@Command(name = "predict", description = "Predicts the class of every image; one line of JSON each.")
final class PredictCommand extends Subcommand {
    @Mixin
    private WeightsOptions weights = new WeightsOptions();

    @Option(
            names = "--input",
            required = true,
            arity = "1..*",
            paramLabel = "URI",
            description = "idx:DIR, cifar10:DIR or digits:N; the test split of each.")
    private List<String> inputs = List.of();

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

    @Mixin
    private Compute compute = new Compute();

    @Mixin
    private Precision precision = new Precision();

    PredictCommand(Streams streams) {
        super(streams);
    }

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
        List<Dataset> datasets = new ArrayList<>();
        for (String input : inputs) {
            datasets.add(DataUri.open(input, Split.TEST, 1));
        }
        ModelCard card = weights.card(datasets.getFirst());
        for (int i = 0; i < inputs.size(); i++) {
            WeightsOptions.requireImages(card, datasets.get(i), inputs.get(i));
        }
        Path target = output;
        if (target == null) {
            predict(card, datasets, this::emitAlways);
            return;
        }
        requireWritable(target);
        AtomicFile.write(
                target,
                channel -> predict(
                        card, datasets, prediction -> AtomicFile.writeFully(channel, Json.line(prediction) + "\n")));
    }

    private static void requireWritable(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        if (folder == null || Files.isDirectory(file) || !Files.isWritable(folder)) {
            throw new UsageException(
                    "%s cannot be written; name a file in a folder that exists and may be written to".formatted(file));
        }
    }

    private void predict(ModelCard card, List<Dataset> datasets, Sink sink) throws IOException {
        Shape image = card.image();
        long largest = datasets.stream().mapToLong(Dataset::size).max().orElse(1);
        long examples = 0;
        long start = System.nanoTime();
        try (var model = weights.load(card);
                var session = model.inference(
                        Shape.of(Math.min(batch, largest), image.size(0), image.size(1), image.size(2)),
                        precision.applyTo(compute.options()))) {
            for (int i = 0; i < datasets.size(); i++) {
                predict(session, card, inputs.get(i), datasets.get(i), sink);
                examples += datasets.get(i).size();
            }
        }
        errors().printf(Locale.ROOT, "%,d images in %.2f s%n", examples, (System.nanoTime() - start) / 1e9);
    }

    private void predict(InferenceSession session, ModelCard card, String input, Dataset dataset, Sink sink)
            throws IOException {
        try (var loader = DataLoader.of(dataset, batch).preprocessed(card.preprocessing())) {
            long index = 0;
            for (Batch images : loader.epoch(0)) {
                Tensor logits = session.run(images);
                for (long row = 0; row < images.size(); row++) {
                    Map<String, Object> prediction = new LinkedHashMap<>();
                    prediction.put("input", input);
                    prediction.put("index", index++);
                    prediction.put("top", top(card, Metrics.probabilities(logits, row)));
                    sink.write(prediction);
                }
            }
        }
    }

    /** The most probable classes, of equals the first. */
    private List<Map<String, Object>> top(ModelCard card, double[] probabilities) {
        Integer[] order = new Integer[probabilities.length];
        Arrays.setAll(order, c -> c);
        Arrays.sort(order, Comparator.comparingDouble((Integer c) -> -probabilities[c]));
        List<Map<String, Object>> classes = new ArrayList<>();
        for (int c : Arrays.copyOf(order, Math.min(top, order.length))) {
            Map<String, Object> entry = new LinkedHashMap<>();
            entry.put("class", c);
            entry.put("name", card.classNames().get(c));
            entry.put("probability", probabilities[c]);
            classes.add(entry);
        }
        return classes;
    }
}
