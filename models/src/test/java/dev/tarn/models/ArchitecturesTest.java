package dev.tarn.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter;
import dev.tarn.nn.Layer;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What networks are made of, from their description alone: no weight is allocated. */
class ArchitecturesTest {
    private static final Shape PHOTOGRAPH = Shape.of(3, 224, 224);
    private static final Shape COLOUR_32 = Shape.of(3, 32, 32);

    private static Layer layer(String name, int classes, Shape image) {
        return ModelZoo.find(name).factory().create(classes, image);
    }

    private static long learned(Layer layer) {
        return layer.parametersByPath().values().stream()
                .filter(parameter -> parameter.role().isTrainable())
                .mapToLong(parameter -> parameter.shape().elementCount())
                .sum();
    }

    private static Shape output(Layer layer, Shape input) {
        var graph = new Graph(Graph.Mode.INFERENCE, DType.F32, 1, Parameter::name);
        return layer.forward(graph.input("images", DType.F32, input)).shape();
    }

    /** Of torchvision's documentation, and for MobileNetV1 Keras's, for 1000 classes. */
    @ParameterizedTest
    @CsvSource({
        "alexnet, 61100840",
        "vgg11, 132863336",
        "vgg13, 133047848",
        "vgg16, 138357544",
        "vgg19, 143667240",
        "vgg11_bn, 132868840",
        "vgg13_bn, 133053736",
        "vgg16_bn, 138365992",
        "vgg19_bn, 143678248",
        "resnet18, 11689512",
        "resnet34, 21797672",
        "resnet50, 25557032",
        "resnet101, 44549160",
        "resnet152, 60192808",
        "densenet121, 7978856",
        "squeezenet1_1, 1235496",
        "mobilenet_v1, 4231976",
        "mobilenet_v1_x0_75, 2585560",
        "mobilenet_v1_x0_5, 1331592",
        "mobilenet_v1_x0_25, 470072",
        "mobilenet_v2, 3504872"
    })
    void c11_networks_for_photographs_have_the_published_number_of_parameters(String name, long parameters) {
        Layer layer = layer(name, 1000, PHOTOGRAPH);
        assertEquals(parameters, learned(layer));
        assertEquals(Shape.of(2, 1000), output(layer, Shape.of(2, 3, 224, 224)));
    }

    @ParameterizedTest
    @CsvSource({
        "lenet5, 1, 28, 61706", // 156 + 2,416 + 48,120 + 10,164 + 850
        "vgg11, 3, 32, 9231114", // convolutions 9,220,480 + normalisation 5,504 + classifier 5,130
        "vgg11_bn, 3, 32, 9231114",
        "resnet18, 3, 32, 11173962",
        "resnet20, 3, 32, 269722",
        "resnet32, 3, 32, 464154", // 6 convolutions of each width and their normalisation more: 194,432
        "resnet44, 3, 32, 658586",
        "resnet56, 3, 32, 853018",
        "resnet110, 3, 32, 1727962"
    })
    void c11_networks_for_small_images_have_the_number_of_parameters_of_the_papers(
            String name, long channels, long side, long parameters) {
        Layer layer = layer(name, 10, Shape.of(channels, side, side));
        assertEquals(parameters, learned(layer));
        assertEquals(Shape.of(2, 10), output(layer, Shape.of(2, channels, side, side)));
    }

    /** Tensors: torchvision's state but the counters that it keeps of batches. */
    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "alexnet; 16; features.0.weight (64, 3, 11, 11), features.3.weight (192, 64, 5, 5),"
                        + " features.10.bias (256), classifier.1.weight (4096, 9216), classifier.4.bias (4096),"
                        + " classifier.6.weight (1000, 4096), classifier.6.bias (1000)",
                "vgg11; 22; features.0.weight (64, 3, 3, 3), features.3.weight (128, 64, 3, 3),"
                        + " features.18.weight (512, 512, 3, 3), classifier.0.weight (4096, 25088),"
                        + " classifier.3.weight (4096, 4096), classifier.6.bias (1000)",
                "vgg16; 32; features.0.weight (64, 3, 3, 3), features.2.weight (64, 64, 3, 3),"
                        + " features.28.weight (512, 512, 3, 3), classifier.0.weight (4096, 25088),"
                        + " classifier.6.weight (1000, 4096)",
                "vgg19; 38; features.34.bias (512), classifier.6.bias (1000)",
                "vgg11_bn; 54; features.1.running_mean (64), features.4.weight (128, 64, 3, 3),"
                        + " features.26.running_var (512), classifier.0.weight (4096, 25088)",
                "vgg16_bn; 84; features.0.bias (64), features.1.weight (64), features.40.weight (512, 512, 3, 3),"
                        + " features.41.running_var (512), classifier.6.bias (1000)",
                "resnet18; 102; conv1.weight (64, 3, 7, 7), bn1.running_mean (64), layer1.0.conv1.weight (64, 64, 3,"
                        + " 3), layer2.0.downsample.0.weight (128, 64, 1, 1), layer2.0.downsample.1.running_var (128),"
                        + " layer4.1.conv2.weight (512, 512, 3, 3), layer4.1.bn2.bias (512), fc.weight (1000, 512)",
                "resnet34; 182; layer3.5.conv2.weight (256, 256, 3, 3), layer4.2.bn2.running_var (512), fc.bias (1000)",
                "resnet50; 267; conv1.weight (64, 3, 7, 7), bn1.weight (64), layer1.0.conv1.weight (64, 64, 1, 1),"
                        + " layer1.0.downsample.0.weight (256, 64, 1, 1), layer1.0.downsample.1.running_var (256),"
                        + " layer2.0.conv2.weight (128, 128, 3, 3), layer3.5.conv3.weight (1024, 256, 1, 1),"
                        + " layer4.2.bn3.bias (2048), fc.weight (1000, 2048), fc.bias (1000)",
                "resnet101; 522; layer3.22.conv3.weight (1024, 256, 1, 1), fc.bias (1000)",
                "resnet152; 777; layer2.7.bn1.weight (128), layer3.35.bn3.running_var (1024), fc.bias (1000)",
                "densenet121; 606; features.conv0.weight (64, 3, 7, 7), features.norm0.running_var (64),"
                        + " features.denseblock1.denselayer1.norm1.weight (64),"
                        + " features.denseblock1.denselayer1.conv1.weight (128, 64, 1, 1),"
                        + " features.denseblock1.denselayer1.norm2.bias (128),"
                        + " features.denseblock1.denselayer1.conv2.weight (32, 128, 3, 3),"
                        + " features.denseblock1.denselayer6.norm1.running_mean (224),"
                        + " features.transition1.norm.weight (256), features.transition1.conv.weight (128, 256, 1, 1),"
                        + " features.denseblock3.denselayer24.conv1.weight (128, 992, 1, 1),"
                        + " features.denseblock4.denselayer16.conv2.weight (32, 128, 3, 3),"
                        + " features.norm5.running_var (1024), classifier.weight (1000, 1024), classifier.bias (1000)",
                "squeezenet1_1; 52; features.0.weight (64, 3, 3, 3), features.3.squeeze.weight (16, 64, 1, 1),"
                        + " features.3.expand1x1.bias (64), features.3.expand3x3.weight (64, 16, 3, 3),"
                        + " features.12.expand3x3.weight (256, 64, 3, 3), classifier.1.weight (1000, 512, 1, 1),"
                        + " classifier.1.bias (1000)",
                "mobilenet_v2; 262; features.0.0.weight (32, 3, 3, 3), features.0.1.weight (32),"
                        + " features.1.conv.0.0.weight (32, 1, 3, 3), features.1.conv.1.weight (16, 32, 1, 1),"
                        + " features.1.conv.2.bias (16), features.2.conv.0.0.weight (96, 16, 1, 1),"
                        + " features.14.conv.1.0.weight (576, 1, 3, 3), features.17.conv.3.running_mean (320),"
                        + " features.18.0.weight (1280, 320, 1, 1), features.18.1.running_var (1280),"
                        + " classifier.1.weight (1000, 1280), classifier.1.bias (1000)"
            })
    void tensors_have_the_names_shapes_and_order_of_torchvision(String name, int count, String some) {
        List<String> all = layer(name, 1000, PHOTOGRAPH).parametersByPath().entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue().shape())
                .toList();
        assertEquals(count, all.size());
        List<String> expected = List.of(some.split(", (?=[a-z])"));
        assertEquals(expected, all.stream().filter(expected::contains).toList());
    }

    @ParameterizedTest
    @CsvSource({
        "resnet18, conv1.weight, 32, '(64, 3, 3, 3)'",
        "resnet18, conv1.weight, 64, '(64, 3, 3, 3)'",
        "resnet18, conv1.weight, 65, '(64, 3, 7, 7)'",
        "resnet152, conv1.weight, 32, '(64, 3, 3, 3)'",
        "vgg11, features.1.weight, 32, (64)",
        "vgg11, classifier.weight, 32, '(10, 512)'",
        "vgg11, classifier.weight, 64, '(10, 2048)'",
        "vgg16, features.41.weight, 32, (512)",
        "vgg16, features.3.weight, 224,",
        "vgg16, classifier.weight, 224,"
    })
    void images_of_up_to_64_pixels_have_a_form_of_their_own(
            String name, String path, long side, @Nullable String shape) {
        Parameter parameter =
                layer(name, 10, Shape.of(3, side, side)).parametersByPath().get(path);
        assertEquals(shape, parameter == null ? null : parameter.shape().toString());
    }

    @ParameterizedTest
    @MethodSource("dev.tarn.models.ModelZoo#names")
    void every_entry_takes_its_own_image(String name) {
        Shape image = ModelZoo.find(name).image();
        Shape input = Shape.of(2, image.size(0), image.size(1), image.size(2));
        assertEquals(Shape.of(2, 10), output(layer(name, 10, image), input));
    }

    /** Their classifiers take 6x6 and 7x7 pixels, and 256 leave 7x7 and 8x8. */
    @ParameterizedTest
    @ValueSource(strings = {"alexnet", "vgg16"})
    void images_whose_features_do_not_divide_are_refused(String name) {
        Layer layer = layer(name, 10, Shape.of(3, 256, 256));
        var e = assertThrows(ShapeException.class, () -> output(layer, Shape.of(1, 3, 256, 256)));
        assertEquals("avgpool", e.path());
        assertEquals(Shape.of(1, 10), output(layer("vgg16", 10, PHOTOGRAPH), Shape.of(1, 3, 448, 448)));
    }

    @Test
    void depths_that_no_paper_has_are_refused() {
        assertThrows(IllegalArgumentException.class, () -> new ResNet(20, 10, COLOUR_32));
        assertThrows(IllegalArgumentException.class, () -> new CifarResNet(18, 10, 3));
        assertThrows(IllegalArgumentException.class, () -> new Vgg(12, Vgg.Convolutions.PLAIN, 10, COLOUR_32));
    }
}
