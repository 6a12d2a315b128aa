package dev.tarn.cli;

import dev.tarn.data.Batch;
import dev.tarn.data.DataLoader;
import dev.tarn.data.DataUri;
import dev.tarn.data.Dataset;
import dev.tarn.data.Normalization;
import dev.tarn.data.Split;
import dev.tarn.io.RunFolder;
import dev.tarn.memory.MemoryAccount;
import dev.tarn.models.ModelZoo;
import dev.tarn.session.Evaluation;
import dev.tarn.session.Metrics;
import dev.tarn.session.Model;
import dev.tarn.session.ModelCard;
import dev.tarn.session.Recipe;
import dev.tarn.session.Trainer;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The whole story on generated digits: train, evaluate, save, load, predict, report. */
@Command(
        name = "demo",
        description = "Trains LeNet-5 on generated digits, saves and loads it, and predicts, in under a minute.")
final class DemoCommand extends Subcommand {
    private static final String MODEL = "lenet5";
    private static final String DATA = "digits:12000";
    private static final long EPOCHS = 3;
    /** Not the digits of training, nor those that chose the best epoch. */
    private static final long UNSEEN_SEED = 2;

    private static final int SHOWN = 3;

    @Option(names = "--out", paramLabel = "DIR", description = "The run folder (default: a new temporary folder).")
    private @Nullable Path out;

    @Mixin
    private Compute compute = new Compute();

    DemoCommand(Streams streams) {
        super(streams);
    }

    @Override
    void execute() throws IOException {
        long start = System.nanoTime();
        PrintStream text = text();
        text.println(DoctorCommand.brief(compute.options().threads()));
        Recipe recipe = ModelZoo.find(MODEL).recipe().withEpochs(EPOCHS);
        Dataset train = DataUri.open(DATA, Split.TRAIN, recipe.seed());
        Dataset validation = DataUri.open(DATA, Split.TEST, recipe.seed());
        var card = new ModelCard(MODEL, train.imageShape(), Normalization.measure(train), train.classNames());
        var trainer = new Trainer(ModelZoo.create(card), card, recipe, compute.options());
        RunFolder folder = RunFolder.create(out == null ? Files.createTempDirectory("tarn-demo") : out);
        folder.writeSettings(
                RunSettings.of(MODEL, DATA, recipe, new DataOptions().toJson(), compute.options(), train, validation));
        text.printf(Locale.ROOT, "training %s on %,d generated digits%n", MODEL, train.size());
        long planned = trainer.plan(train, validation).byteSize();
        Trainer.Result result = new TrainReport(this, progress(), folder, new Warnings(), planned)
                .run(trainer, new DataOptions.Data(train, validation, null), Trainer.Start.FRESH);
        Dataset unseen = DataUri.open("digits:1000", Split.TEST, UNSEEN_SEED);
        Evaluation evaluation = evaluate(folder, card, unseen);
        report(result, evaluation, (System.nanoTime() - start) / 1e9);
    }

    /** Loads what was saved, as another program would. */
    private Evaluation evaluate(RunFolder folder, ModelCard card, Dataset unseen) throws IOException {
        Shape image = card.image();
        try (var model = Model.load(ModelZoo.create(card), folder.best());
                var loader = DataLoader.of(unseen, 64).preprocessed(card.preprocessing());
                var session =
                        model.inference(Shape.of(64, image.size(0), image.size(1), image.size(2)), compute.options())) {
            text().printf(
                            Locale.ROOT,
                            "loaded the weights again; the first of %,d digits it never saw:%n",
                            unseen.size());
            Batch first = loader.epoch(0).iterator().next();
            Tensor logits = session.run(first);
            List<String> captions = new ArrayList<>();
            for (long i = 0; i < SHOWN; i++) {
                int predicted = Metrics.predicted(logits, i);
                captions.add(String.format(
                        Locale.ROOT,
                        "says %s (%.1f %%), is %s",
                        card.classNames().get(predicted),
                        100 * Metrics.probabilities(logits, i)[predicted],
                        card.classNames().get(unseen.label(i))));
            }
            Drawing.print(text(), unseen, captions);
            return Evaluation.of(session, loader);
        }
    }

    private void report(Trainer.Result result, Evaluation evaluation, double seconds) {
        long planned = result.plan().byteSize();
        long peak = MemoryAccount.peak();
        text().printf(
                        Locale.ROOT,
                        "demo: %.1f %% of %,d unseen digits in %.0f s, peak off-heap %,d bytes %s planned %,d bytes%n",
                        100 * evaluation.accuracy(),
                        evaluation.examples(),
                        seconds,
                        peak,
                        peak == planned ? "=" : "but",
                        planned);
        Map<String, Object> event = new LinkedHashMap<>();
        event.put("event", "demo");
        event.put("examples", evaluation.examples());
        event.put("accuracy", evaluation.accuracy());
        event.put("seconds", seconds);
        event.put("plan_bytes", planned);
        event.put("peak_offheap_bytes", peak);
        emit(event);
    }
}
