package dev.tarn.cli;

import dev.tarn.data.DataLoader;
import dev.tarn.data.DataUri;
import dev.tarn.data.Dataset;
import dev.tarn.data.Split;
import dev.tarn.models.ModelZoo;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.session.Evaluation;
import dev.tarn.session.GradientNoise;
import dev.tarn.session.Health;
import dev.tarn.session.Lint;
import dev.tarn.session.Lints;
import dev.tarn.session.Model;
import dev.tarn.session.ModelCard;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures a pass over the training images and how much better they are known than the test images. */
@Command(
        name = "health",
        description =
                "Shows saturated and dead units, norms of gradients and steps, and the noise of gradients, layer by"
                        + " layer.")
final class HealthCommand extends Subcommand {
    private static final long SHUFFLE_SEED = 1;

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
    private long batch = 64;

    @Option(
            names = "--lr",
            paramLabel = "RATE",
            description = "The learning rate that steps are judged by (default: where the model's recipe begins).")
    private @Nullable Double rate;

    @Mixin
    private Warnings warnings = new Warnings();

    @Mixin
    private Compute compute = new Compute();

    HealthCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        Dataset train = DataUri.open(data, Split.TRAIN, 1, weights.fit(), pictures.corrupt());
        Dataset test = DataUri.open(data, Split.TEST, 1, weights.fit(), pictures.corrupt());
        ModelCard card = weights.card(train);
        WeightsOptions.requireImages(card, train, data);
        WeightsOptions.requireFolders(card, train, data);
        double judged =
                rate == null ? ModelZoo.find(card.architecture()).recipe().rate() : rate;
        if (!(judged > 0)) {
            throw new UsageException("--lr is a rate above zero, not " + judged);
        }
        try (var model = weights.load(card);
                var loader = DataLoader.of(train, batch)
                        .readers(compute.options().threads())
                        .preprocessed(card.preprocessing())
                        .shuffled(SHUFFLE_SEED)) {
            Health health =
                    Health.of(model, input(card, train), new CrossEntropyLoss(), loader.epoch(0), compute.options());
            Evaluation known = evaluate(model, card, train);
            Evaluation others = evaluate(model, card, test);
            List<Lint> lints = new ArrayList<>(Lints.of(health, judged));
            lints.addAll(Lints.ofGap(known.accuracy(), others.accuracy()));
            print(health, judged, known, others);
            emit(health, judged, known, others, warnings.heard(lints));
            warnings.print(lints, errors());
        }
    }

    private Shape input(ModelCard card, Dataset dataset) {
        Shape image = card.image();
        return Shape.of(Math.min(batch, dataset.size()), image.size(0), image.size(1), image.size(2));
    }

    private Evaluation evaluate(Model model, ModelCard card, Dataset dataset) {
        try (var loader = DataLoader.of(dataset, batch)
                        .readers(compute.options().threads())
                        .preprocessed(card.preprocessing());
                var session = model.inference(input(card, dataset), compute.options())) {
            return Evaluation.of(session, loader);
        }
    }

    private void print(Health health, double judged, Evaluation known, Evaluation others) {
        line("%-28s %-12s %9s %8s %8s", "activation", "function", "|x| > 3", "units", "dead");
        for (Health.Activations layer : health.activations()) {
            line(
                    "%-28s %-12s %9.4f %8d %8d",
                    layer.path(), layer.function().label(), layer.saturated(), layer.units(), layer.dead());
        }
        line("%-28s %12s %12s %12s", "weight", "norm", "of gradient", "step/weight");
        for (Health.Weights weight : health.weights()) {
            line(
                    "%-28s %12.4g %12.4g %12.4g",
                    weight.path(), weight.norm(), weight.gradientNorm(), weight.updateRatio(judged));
        }
        GradientNoise noise = health.noise();
        line(
                "loss %.4f; gradients of %d images vary by %.4g around %.4g (squares); a batch of %.0f has as much"
                        + " noise as signal",
                health.loss(), noise.batch(), noise.variance(), noise.signal(), noise.balancedBatch());
        line("accuracy %.4f of training images, %.4f of test images", known.accuracy(), others.accuracy());
    }

    private void line(String format, Object... values) {
        text().println(String.format(Locale.ROOT, format, values));
    }

    private void emit(Health health, double judged, Evaluation known, Evaluation others, List<Lint> lints) {
        for (Health.Activations layer : health.activations()) {
            Map<String, Object> event = event("activation");
            event.put("layer", layer.path());
            event.put("function", layer.function().label());
            event.put("saturated", layer.saturated());
            event.put("units", layer.units());
            event.put("dead", layer.dead());
            emit(event);
        }
        for (Health.Weights weight : health.weights()) {
            Map<String, Object> event = event("weight");
            event.put("name", weight.path());
            event.put("norm", weight.norm());
            event.put("gradient_norm", weight.gradientNorm());
            event.put("update_ratio", weight.updateRatio(judged));
            emit(event);
        }
        for (Lint lint : lints) {
            Map<String, Object> event = event("warning");
            event.put("id", lint.id().label());
            event.put("layer", lint.path());
            event.put("reason", lint.reason());
            emit(event);
        }
        Map<String, Object> done = event("done");
        done.put("loss", health.loss());
        done.put("gradient_variance", health.noise().variance());
        done.put("gradient_signal", health.noise().signal());
        done.put("balanced_batch", health.noise().balancedBatch());
        done.put("train_accuracy", known.accuracy());
        done.put("test_accuracy", others.accuracy());
        emit(done);
    }

    private static Map<String, Object> event(String name) {
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", name);
        return event;
    }
}
