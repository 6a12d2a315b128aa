package dev.tarn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.data.Cifar10;
import dev.tarn.data.DataLoader;
import dev.tarn.data.Normalization;
import dev.tarn.data.Split;
import dev.tarn.kernel.KernelLevel;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Style;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.session.Lints;
import dev.tarn.session.Metrics;
import dev.tarn.session.Model;
import dev.tarn.session.SessionOptions;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ModelZooTest {
    @ParameterizedTest
    @MethodSource("dev.tarn.models.ModelZoo#names")
    void a_style_changes_no_name_and_adds_what_its_activations_learn(String name) {
        ModelZoo.Entry entry = ModelZoo.find(name);
        Set<String> own = names(entry, Style.OWN);
        assertEquals(own, names(entry, new Style("tanh", null, 0.5)));
        for (String learned : List.of("prelu", "prelu-channel", "swish-learned")) {
            Set<String> names = names(entry, new Style(learned, null, null));
            assertTrue(names.containsAll(own) && names.size() > own.size(), learned);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "vgg11",
                "vgg16_bn",
                "resnet18",
                "resnet20",
                "resnet50",
                "densenet121",
                "mobilenet_v1",
                "mobilenet_v2"
            })
    void another_normalisation_takes_the_place_of_the_batchs_everywhere(String name) {
        Set<String> names = names(ModelZoo.find(name), new Style(null, "layer", null));
        assertTrue(names.stream().noneMatch(path -> path.contains("running")), names.toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"lenet5", "alexnet", "vgg16", "squeezenet1_1"})
    void a_model_without_normalisation_refuses_another(String name) {
        var style = new Style(null, "layer", null);
        assertThrows(IllegalArgumentException.class, () -> names(ModelZoo.find(name), style));
    }

    private static Set<String> names(ModelZoo.Entry entry, Style style) {
        return entry.factory()
                .create(10, entry.image(), style)
                .parametersByPath()
                .keySet();
    }

    @ParameterizedTest
    @CsvSource({
        "lenet5, 3, 32",
        "lenet5, 1, 28",
        "vgg11, 1, 32",
        "resnet18, 1, 28",
        "resnet20, 1, 28",
        "resnet50, 1, 72",
        "resnet34, 3, 32",
        "vgg11, 1, 64",
        "vgg16, 3, 32",
        "densenet121, 1, 40",
        "squeezenet1_1, 1, 40",
        "mobilenet_v1_x0_5, 1, 33",
        "mobilenet_v2, 1, 64"
    })
    void other_channels_and_classes(String name, long channels, long side) {
        Shape image = Shape.of(channels, side, side);
        try (var model = Model.create(ModelZoo.find(name).factory().create(7, image), 1);
                var session = model.inference(Shape.of(2, channels, side, side))) {
            var input = Tensor.of(Shape.of(2, channels, side, side), new float[(int) (2 * channels * side * side)]);
            assertEquals(Shape.of(2, 7), session.run(input).shape());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "resnet50, 72",
        "resnet18, 16",
        "resnet32, 16",
        "vgg11, 32",
        "densenet121, 32",
        "squeezenet1_1, 64",
        "mobilenet_v1_x0_25, 64",
        "mobilenet_v2, 64"
    })
    void networks_learn_a_tiny_batch(String name, long side) {
        learns(name, Shape.of(4, 3, side, side), 0.005);
    }

    @Test
    void alexnet_learns_two_photographs() {
        Assumptions.assumeTrue(!KernelLevel.label().equals("ref"), "its linear layers alone have 59 million weights");
        learns("alexnet", Shape.of(2, 3, 224, 224), 0.0005);
    }

    /** Without dropout, whose noise could outweigh three steps. */
    private static void learns(String name, Shape images, double rate) {
        Shape image = Shape.of(images.size(1), images.size(2), images.size(3));
        Rng rng = new Rng(5, Rng.Stream.DIGITS, 0);
        try (var memory = OwnedMemory.open("batch");
                var model =
                        Model.create(ModelZoo.find(name).factory().create(4, image, new Style(null, null, 1.0)), 1);
                var session = model.training(images, new CrossEntropyLoss(), new SGD().momentum(0.9))) {
            Tensor input = Tensor.view(
                    memory.allocate(images.elementCount() * Float.BYTES), DType.F32, images, Layout.CHANNELS_LAST);
            input.fill(rng::nextGaussian);
            long n = images.size(0);
            Tensor labels = Tensor.view(memory.allocate(n * Integer.BYTES), DType.I32, Shape.of(n), Layout.ROW_MAJOR);
            labels.fill(() -> rng.nextLong(4));
            Batch batch = new Batch(input, labels, memory);
            double first = session.forward(batch);
            assertTrue(Double.isFinite(first), "loss " + first);
            double loss = first;
            for (int step = 0; step < 3; step++) {
                session.backward();
                session.update(rate);
                loss = session.forward(batch);
            }
            assertTrue(loss < first, "loss %f, then %f".formatted(first, loss));
        }
    }

    private static final Path RESNET20 =
            Path.of(System.getProperty("tarn.data", "../../shared/data"), "models/resnet20-cifar10");
    private static final Path CIFAR10 = RESNET20.resolveSibling("../cifar10");

    private static void requireData() {
        Assumptions.assumeTrue(
                Files.exists(RESNET20) && Files.exists(CIFAR10),
                () -> RESNET20 + " or cifar10 is missing; -Dtarn.data=DIR names the folder of test data");
    }

    private static DataLoader cifar10(long batch) throws IOException {
        var imagenet = new Normalization(List.of(0.485f, 0.456f, 0.406f), List.of(0.229f, 0.224f, 0.225f));
        return DataLoader.of(Cifar10.read(CIFAR10, Split.TEST), batch).preprocessed(imagenet);
    }

    /** Of 10,000 it may lose 20: two of the first 1,000, where each 100 may differ by one. */
    @Test
    void resnet20_in_bf16_is_as_right_as_in_f32() throws IOException {
        requireData();
        Assumptions.assumeTrue(!KernelLevel.label().equals("ref"), "1,000 images take a minute in plain loops");
        Shape images = Shape.of(100, 3, 32, 32);
        var bf16 = SessionOptions.DEFAULT.withPrecision(DType.BF16);
        try (var model = Model.load(new CifarResNet(20, 10, 3), RESNET20.resolve("resnet20.safetensors"));
                var loader = cifar10(100);
                var exact = model.inference(images);
                var rounded = model.inference(images, bf16)) {
            int batches = 0;
            long sum = 0;
            for (Batch batch : loader.epoch(0)) {
                long want = Metrics.correct(exact.run(batch), batch.labels());
                long got = Metrics.correct(rounded.run(batch), batch.labels());
                assertEquals(want, got, 1, "batch " + batches);
                sum += got - want;
                if (++batches == 10) {
                    break;
                }
            }
            assertEquals(10, batches);
            assertTrue(sum >= -2, "%d fewer are right".formatted(-sum));
        }
    }

    @Test
    void resnet20_gives_the_logits_of_another_runtime() throws IOException {
        requireData();
        FloatBuffer expected = ByteBuffer.wrap(Files.readAllBytes(RESNET20.resolve("logits_test_first1000.f32")))
                .order(ByteOrder.LITTLE_ENDIAN)
                .asFloatBuffer();
        try (var model = Model.load(new CifarResNet(20, 10, 3), RESNET20.resolve("resnet20.safetensors"));
                var loader = cifar10(100);
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

    @Test
    void no_architecture_is_warned_of() {
        for (String name : ModelZoo.names()) {
            ModelZoo.Entry entry = ModelZoo.find(name);
            Shape image = entry.image();
            var layer = entry.factory().create(10, image);
            assertEquals(List.of(), Lints.of(layer, Shape.of(2, image.size(0), image.size(1), image.size(2))), name);
        }
    }
}
