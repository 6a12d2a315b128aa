package dev.tarn.session;

import static dev.tarn.Messages.assertSays;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Augmentation;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Dataset;
import dev.tarn.data.Digits;
import dev.tarn.data.FeatureScaling;
import dev.tarn.data.Normalization;
import dev.tarn.data.Preprocessing;
import dev.tarn.data.Split;
import dev.tarn.io.FileFormatException;
import dev.tarn.io.RunFolder;
import dev.tarn.io.SafeTensors;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.tensor.Shape;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ModelCardTest {
    private static final Dataset TRAIN = Digits.generate(200, 1, Split.TRAIN);
    private static final Shape IMAGE = TRAIN.imageShape();
    private static final List<String> CLASSES = TRAIN.classNames();

    @TempDir
    Path folder;

    private static Layer net() {
        return new Sequential(new Flatten(), new Linear(28 * 28, 10));
    }

    private ModelCard savedAndRead(ModelCard card) throws IOException {
        Path file = folder.resolve("weights.safetensors");
        try (var model = Model.create(net(), 1)) {
            model.save(file, card);
        }
        Model.load(net(), file).close(); // the statistics beside the weights are no weights
        return ModelCard.of(file, SafeTensors.open(file)).orElseThrow();
    }

    private static float[] firstBatch(Preprocessing preprocessing) {
        try (var loader = DataLoader.of(TRAIN, 50).preprocessed(preprocessing)) {
            return loader.epoch(0).iterator().next().images().toArray();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "channel-mean-std",
                "channel-mean",
                "none",
                "mean-image",
                "feature",
                "min-max",
                "pca=9",
                "whiten=9"
            })
    void p1_statistics_are_in_the_file_to_the_bit(String choice) throws IOException {
        var card = new ModelCard("linear", IMAGE, Preprocessing.measure(choice, TRAIN), CLASSES);
        ModelCard read = savedAndRead(card);
        assertArrayEquals(firstBatch(card.preprocessing()), firstBatch(read.preprocessing()));
        assertEquals(card.toMetadata(), read.toMetadata());
    }

    @Test
    void p1_validation_data_do_not_change_the_stored_statistics() throws IOException {
        double[] measured = FeatureScaling.standard(TRAIN).shift().toDoubleArray();
        for (long seed = 5; seed < 7; seed++) {
            Dataset validation = Digits.generate(100, seed, Split.TEST);
            var card = new ModelCard("linear", IMAGE, FeatureScaling.standard(TRAIN), CLASSES);
            var recipe =
                    new Recipe(1, 50, new SGD(), Schedule.CONSTANT, 0.01, new CrossEntropyLoss(), Augmentation.NONE, 1);
            RunFolder run = RunFolder.create(folder.resolve("run" + seed));
            new Trainer(net(), card, recipe, SessionOptions.DEFAULT)
                    .run(TRAIN, validation, run, Trainer.Start.FRESH, TrainingListener.NONE);
            ModelCard stored =
                    ModelCard.of(run.best(), SafeTensors.open(run.best())).orElseThrow();
            assertArrayEquals(
                    measured, ((FeatureScaling) stored.preprocessing()).shift().toDoubleArray());
        }
    }

    @Test
    void p5_published_constants_are_part_of_the_model_record() throws IOException {
        var imagenet = new Normalization(List.of(0.485f, 0.456f, 0.406f), List.of(0.229f, 0.224f, 0.225f));
        var card = new ModelCard("resnet50", Shape.of(3, 224, 224), imagenet, List.of("tench", "goldfish"));
        assertEquals(card, savedAndRead(card));
    }

    @Test
    void the_file_of_an_older_build() throws IOException {
        Path file = folder.resolve("older.safetensors");
        Map<String, String> metadata = Map.of(
                "tarn.architecture", "linear",
                "tarn.image", "1x28x28",
                "tarn.mean", "0.25",
                "tarn.std", "0.5",
                "tarn.class_names", String.join("\n", CLASSES));
        try (var model = Model.create(net(), 1)) {
            model.save(file, metadata);
        }
        Model.load(net(), file).close();
        assertEquals(
                new ModelCard("linear", IMAGE, new Normalization(List.of(0.25f), List.of(0.5f)), CLASSES),
                ModelCard.of(file, SafeTensors.open(file)).orElseThrow());
    }

    @Test
    void files_that_say_nothing_or_nonsense() throws IOException {
        Path file = folder.resolve("other.safetensors");
        try (var model = Model.create(net(), 1)) {
            model.save(file);
            assertTrue(ModelCard.of(file, SafeTensors.open(file)).isEmpty());
            Map<String, String> metadata = new java.util.HashMap<>(Map.of(
                    "tarn.architecture", "linear",
                    "tarn.image", "1x28x28",
                    "tarn.preprocessing", "pca",
                    "tarn.class_names", "a"));
            model.save(file, metadata);
            var missing = assertThrows(FileFormatException.class, () -> ModelCard.of(file, SafeTensors.open(file)));
            assertSays(FileFormatException.class, missing, "tarn.preprocessing.mean");
            metadata.put("tarn.preprocessing", "wavelets");
            model.save(file, metadata);
            var unknown = assertThrows(FileFormatException.class, () -> ModelCard.of(file, SafeTensors.open(file)));
            assertSays(FileFormatException.class, unknown, "'wavelets' is unknown");
        }
    }
}
