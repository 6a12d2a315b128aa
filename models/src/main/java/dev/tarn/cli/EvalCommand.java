package dev.tarn.cli;

import dev.tarn.data.DataLoader;
import dev.tarn.data.DataUri;
import dev.tarn.data.Dataset;
import dev.tarn.data.Split;
import dev.tarn.session.Evaluation;
import dev.tarn.session.ModelCard;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Runs a model over the test split of a data set: accuracy, loss and confusion matrix. */
@Command(name = "eval", description = "Evaluates weights on the test split of a data set.")
final class EvalCommand extends Subcommand {
    private static final int WIDEST_MATRIX = 20; // classes that fit a screen

    @Mixin
    private WeightsOptions weights = new WeightsOptions();

    @Option(
            names = "--data",
            required = true,
            paramLabel = "URI",
            description = "idx:DIR, cifar10:DIR, folder:DIR or digits:N.")
    private String data = "";

    @Mixin
    private PictureOptions pictures = new PictureOptions();

    @Option(names = "--batch", paramLabel = "N", description = "Images at a time (default: ${DEFAULT-VALUE}).")
    private long batch = 256;

    @Mixin
    private Compute compute = new Compute();

    @Mixin
    private Precision precision = new Precision();

    EvalCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        Dataset dataset = DataUri.open(data, Split.TEST, 1, weights.fit(), pictures.corrupt());
        ModelCard card = weights.card(dataset);
        WeightsOptions.requireImages(card, dataset, data);
        WeightsOptions.requireFolders(card, dataset, data);
        if (dataset.classNames().size() > card.classes()) {
            throw new UsageException("%s has %d classes, and the model knows %d; choose other data or weights"
                    .formatted(data, dataset.classNames().size(), card.classes()));
        }
        Shape image = card.image();
        try (var model = weights.load(card);
                var loader = DataLoader.of(dataset, batch)
                        .readers(compute.options().threads())
                        .preprocessed(card.preprocessing());
                var session = model.inference(
                        Shape.of(Math.min(batch, dataset.size()), image.size(0), image.size(1), image.size(2)),
                        precision.applyTo(compute.options()))) {
            long start = System.nanoTime();
            Evaluation evaluation = Evaluation.of(session, loader);
            report(card, evaluation, evaluation.examples() * 1e9 / (System.nanoTime() - start));
        }
    }

    private void report(ModelCard card, Evaluation evaluation, double imagesPerSecond) {
        text().printf(
                        Locale.ROOT,
                        "%,d of %,d right: accuracy %.4f, loss %.4f, %,.0f images/s%n",
                        evaluation.correct(),
                        evaluation.examples(),
                        evaluation.accuracy(),
                        evaluation.loss(),
                        imagesPerSecond);
        if (card.classes() <= WIDEST_MATRIX) {
            printConfusion(card.classNames(), evaluation.confusion());
        }
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", "eval");
        event.put("examples", evaluation.examples());
        event.put("accuracy", evaluation.accuracy());
        event.put("loss", evaluation.loss());
        event.put("images_per_second", imagesPerSecond);
        event.put(
                "confusion",
                Arrays.stream(evaluation.confusion())
                        .map(row -> Arrays.stream(row).boxed().toList())
                        .toList());
        emit(event);
    }

    private void printConfusion(List<String> names, long[][] confusion) {
        PrintStream text = text();
        int width = names.stream().mapToInt(String::length).max().orElse(0);
        text.println("rows: true class, columns: predicted class, in the same order");
        for (int c = 0; c < confusion.length; c++) {
            text.printf("%" + width + "s", names.get(c));
            for (long count : confusion[c]) {
                text.printf(" %6s", count == 0 ? "." : Long.toString(count));
            }
            text.println();
        }
    }
}
