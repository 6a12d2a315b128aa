package dev.tarn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import org.junit.jupiter.params.provider.ValueSource;

class ModelZooTest {
    @ParameterizedTest
    @ValueSource(strings = {"lenet5", "vgg11", "resnet18", "resnet20", "resnet50", "mobilenet_v2"})
    void a_style_changes_no_name_and_adds_what_its_activations_learn(String name) {
        ModelZoo.Entry entry = ModelZoo.find(name);
        Set<String> own = names(entry, Style.OWN);
        assertEquals(own, names(entry, new Style("tanh", 0.5)));
        for (String learned : List.of("prelu", "prelu-channel", "swish-learned")) {
            Set<String> names = names(entry, new Style(learned, null));
            assertTrue(names.containsAll(own) && names.size() > own.size(), learned);
        }
    }

    private static Set<String> names(ModelZoo.Entry entry, Style style) {
        return entry.factory()
                .create(10, entry.image(), style)
                .parametersByPath()
                .keySet();
    }

    @ParameterizedTest
    @CsvSource({
        "lenet5, 10, 61706", // 156 + 2,416 + 48,120 + 10,164 + 850
        "vgg11, 10, 9231114", // convolutions 9,220,480 + normalisation 5,504 + classifier 5,130
        "resnet18, 10, 11173962",
        "resnet20, 10, 269722",
        "resnet50, 1000, 25557032",
        "mobilenet_v2, 1000, 3504872"
    })
    void parameters_are_counted_as_in_the_papers(String name, int classes, long parameters) {
        ModelZoo.Entry entry = ModelZoo.find(name);
        try (var model = Model.create(entry.factory().create(classes, entry.image()), 1)) {
            assertEquals(parameters, model.parameterCount());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "lenet5, 3, 32",
        "lenet5, 1, 28",
        "vgg11, 1, 32",
        "resnet18, 1, 28",
        "resnet20, 1, 28",
        "resnet50, 1, 64",
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

    /** Tensors: torchvision's state but the counters that it keeps of batches. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "resnet50; 267; conv1.weight (64, 3, 7, 7), bn1.weight (64), layer1.0.conv1.weight (64, 64, 1, 1),"
                        + " layer1.0.downsample.0.weight (256, 64, 1, 1), layer1.0.downsample.1.running_var (256),"
                        + " layer2.0.conv2.weight (128, 128, 3, 3), layer3.5.conv3.weight (1024, 256, 1, 1),"
                        + " layer4.2.bn3.bias (2048), fc.weight (1000, 2048), fc.bias (1000)",
                "mobilenet_v2; 262; features.0.0.weight (32, 3, 3, 3), features.0.1.weight (32),"
                        + " features.1.conv.0.0.weight (32, 1, 3, 3), features.1.conv.1.weight (16, 32, 1, 1),"
                        + " features.1.conv.2.bias (16), features.2.conv.0.0.weight (96, 16, 1, 1),"
                        + " features.14.conv.1.0.weight (576, 1, 3, 3), features.17.conv.3.running_mean (320),"
                        + " features.18.0.weight (1280, 320, 1, 1), features.18.1.running_var (1280),"
                        + " classifier.1.weight (1000, 1280), classifier.1.bias (1000)"
            })
    void tensors_have_the_names_shapes_and_order_of_torchvision(String name, int count, String some) {
        ModelZoo.Entry entry = ModelZoo.find(name);
        try (var model = Model.create(entry.factory().create(1000, entry.image()), 1)) {
            List<String> all = model.tensors().entrySet().stream()
                    .map(e -> e.getKey() + " " + e.getValue().shape())
                    .toList();
            assertEquals(count, all.size());
            List<String> expected = List.of(some.split(", (?=[a-z])"));
            assertEquals(expected, all.stream().filter(expected::contains).toList());
        }
    }

    @ParameterizedTest
    @CsvSource({"resnet50", "mobilenet_v2"})
    void networks_for_large_images_learn_a_tiny_batch(String name) {
        Shape images = Shape.of(4, 3, 64, 64);
        Rng rng = new Rng(5, Rng.Stream.DIGITS, 0);
        try (var memory = OwnedMemory.open("batch");
                var model = Model.create(ModelZoo.find(name).factory().create(4, Shape.of(3, 64, 64)), 1);
                var session = model.training(images, new CrossEntropyLoss(), new SGD().momentum(0.9))) {
            Tensor input = Tensor.view(
                    memory.allocate(images.elementCount() * Float.BYTES), DType.F32, images, Layout.CHANNELS_LAST);
            input.fill(rng::nextGaussian);
            Tensor labels = Tensor.view(memory.allocate(4 * Integer.BYTES), DType.I32, Shape.of(4), Layout.ROW_MAJOR);
            labels.fill(() -> rng.nextLong(4));
            Batch batch = new Batch(input, labels, memory);
            double first = session.forward(batch);
            assertTrue(Double.isFinite(first), "loss " + first);
            double loss = first;
            for (int step = 0; step < 3; step++) {
                session.backward();
                session.update(0.005);
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
        try (var model = Model.load(new ResNet20(10, 3), RESNET20.resolve("resnet20.safetensors"));
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
        try (var model = Model.load(new ResNet20(10, 3), RESNET20.resolve("resnet20.safetensors"));
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
}
