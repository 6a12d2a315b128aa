package dev.tarn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tarn.data.Batch;
import dev.tarn.data.Cifar10;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Normalization;
import dev.tarn.data.Split;
import dev.tarn.session.Model;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelZooTest {
    @ParameterizedTest
    @CsvSource({
        "lenet5, 61706", // 156 + 2,416 + 48,120 + 10,164 + 850
        "vgg11, 9231114", // convolutions 9,220,480 + normalisation 5,504 + classifier 5,130
        "resnet18, 11173962",
        "resnet20, 269722"
    })
    void parameters_are_counted_as_in_the_papers(String name, long parameters) {
        ModelZoo.Entry entry = ModelZoo.find(name);
        try (var model = Model.create(entry.factory().create(10, entry.image()), 1)) {
            assertEquals(parameters, model.parameterCount());
        }
    }

    @ParameterizedTest
    @CsvSource({"lenet5, 3, 32", "lenet5, 1, 28", "vgg11, 1, 32", "resnet18, 1, 28", "resnet20, 1, 28"})
    void other_channels_and_classes(String name, long channels, long side) {
        Shape image = Shape.of(channels, side, side);
        try (var model = Model.create(ModelZoo.find(name).factory().create(7, image), 1);
                var session = model.inference(Shape.of(2, channels, side, side))) {
            var input = Tensor.of(Shape.of(2, channels, side, side), new float[(int) (2 * channels * side * side)]);
            assertEquals(Shape.of(2, 7), session.run(input).shape());
        }
    }

    @Test
    void resnet20_gives_the_logits_of_another_runtime() throws IOException {
        Path models = Path.of(System.getProperty("tarn.data", "../../shared/data"), "models/resnet20-cifar10");
        Path data = models.resolveSibling("../cifar10");
        Assumptions.assumeTrue(
                Files.exists(models) && Files.exists(data),
                () -> models + " or cifar10 is missing; -Dtarn.data=DIR names the folder of test data");
        FloatBuffer expected = ByteBuffer.wrap(Files.readAllBytes(models.resolve("logits_test_first1000.f32")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        var imagenet = new Normalization(List.of(0.485f, 0.456f, 0.406f), List.of(0.229f, 0.224f, 0.225f));
        try (var model = Model.load(new ResNet20(10, 3), models.resolve("resnet20.safetensors"));
                var loader = DataLoader.of(Cifar10.read(data, Split.TEST), 100).normalized(imagenet);
                var session = model.inference(Shape.of(100, 3, 32, 32))) {
            int at = 0;
            for (Batch batch : loader.epoch(0)) {
                for (float logit : session.run(batch).toArray()) {
                    assertEquals(expected.get(at), logit, 1e-3f, "image %d".formatted(at / 10));
                    at++;
                }
                if (at == expected.capacity()) {
                    break;
                }
            }
            assertEquals(10_000, at);
        }
    }
}
