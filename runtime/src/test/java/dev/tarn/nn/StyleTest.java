package dev.tarn.nn;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.graph.Fan;
import dev.tarn.graph.Initializer;
import dev.tarn.nn.init.Initialization;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StyleTest {
    private static final long FAN_IN = 50;

    @ParameterizedTest
    @CsvSource({
        "relu, ReLU, 0",
        "relu6, ReLU6, 0",
        "leaky-relu, LeakyReLU, 0",
        "Leaky-ReLU=0.1, LeakyReLU, 0",
        "prelu, PReLU, 1",
        "prelu-channel, PReLU, 7",
        "elu, ELU, 0",
        "elu=0.5, ELU, 0",
        "selu, SELU, 0",
        "swish, Swish, 0",
        "swish=2, Swish, 0",
        "swish-learned, Swish, 1",
        "sigmoid, Sigmoid, 0",
        "tanh, Tanh, 0"
    })
    void an_activation_by_name(String name, String type, long learned) {
        Layer layer = new Style(name, null, null).activation(7);
        assertEquals(type, layer.getClass().getSimpleName());
        assertEquals(
                learned,
                layer.parametersByPath().values().stream()
                        .mapToLong(p -> p.shape().elementCount())
                        .sum());
    }

    @ParameterizedTest
    @CsvSource({
        "gelu, is unknown",
        "relu=1, is unknown",
        "leaky-relu=1, slope below zero",
        "leaky-relu=steep, is not a number",
        "elu=-1, not negative",
        "maxout, architecture made for it",
        "maxout=2, architecture made for it"
    })
    void activations_that_cannot_be(String name, String words) {
        var e = assertThrows(IllegalArgumentException.class, () -> new Style(name, null, null));
        assertTrue(String.valueOf(e.getMessage()).contains(words), e.getMessage());
    }

    @Test
    void g18_dropout_that_keeps_a_half_is_there_where_asked() {
        assertInstanceOf(Dropout.class, new Style(null, null, 0.5).dropout());
        assertInstanceOf(Identity.class, Style.OWN.dropout());
        Layer own = Dropout.keep(0.8);
        assertSame(own, Style.OWN.dropout(own));
        assertThrows(IllegalArgumentException.class, () -> new Style(null, null, 0.0));
    }

    @Test
    void what_was_not_said_is_the_architectures_own() {
        Layer own = new ReLU6();
        assertSame(own, Style.OWN.activation(3, own));
        assertInstanceOf(ReLU.class, Style.OWN.activation(3));
        assertInstanceOf(Tanh.class, new Style("tanh", null, null).activation(3, own));
        assertEquals(Map.of(), Style.OWN.toMetadata());
        assertEquals(Initialization.OWN, Style.OWN.initialization());
    }

    @Test
    void normalisations_have_names() {
        assertInstanceOf(BatchNorm2d.class, Style.OWN.normalization(8));
        assertTrue(normalization("batch-deviation").parametersByPath().containsKey("running_std"));
        assertInstanceOf(LayerNorm.class, normalization("layer"));
        assertInstanceOf(InstanceNorm2d.class, normalization("instance"));
        assertInstanceOf(GroupNorm.class, normalization("group=4"));
        for (String wrong : List.of("group", "group=0", "batchnorm")) {
            assertThrows(IllegalArgumentException.class, () -> normalization(wrong), wrong);
        }
        assertThrows(IllegalArgumentException.class, () -> normalization("group=3")); // of 8 channels
    }

    private static Layer normalization(String name) {
        return new Style(null, name, null).normalization(8);
    }

    @Test
    void metadata_keep_it() {
        Style style = new Style("Leaky-ReLU=0.1", "Group=4", 0.5);
        assertEquals(
                Map.of(
                        "tarn.activation",
                        "leaky-relu=0.1",
                        "tarn.normalization",
                        "group=4",
                        "tarn.dropout_keep",
                        "0.5"),
                style.toMetadata());
        assertEquals(style, Style.of(style.toMetadata()));
        assertEquals(Style.OWN, Style.of(Map.of("tarn.architecture", "lenet5")));
        assertThrows(IllegalArgumentException.class, () -> Style.of(Map.of("tarn.dropout_keep", "half")));
    }

    /** The law of I5: a second moment of 1 stays 1 if the variance is 2 / ((1 + slope^2) fan_in). */
    @ParameterizedTest
    @CsvSource({
        "selu, 1",
        "tanh, 1",
        "sigmoid, 1",
        "leaky-relu=0.5, 1.6",
        "prelu, 1.882352941",
        "prelu-channel, 1.882352941"
    })
    void i5_first_values_suit_the_activation(String activation, double varianceTimesFanIn) {
        Initializer weight = Objects.requireNonNull(
                new Style(activation, null, null).initialization().weight());
        int count = 1_000_000;
        Tensor tensor = Tensor.of(Shape.of(count), new float[count]);
        weight.initialize(tensor, new Fan(FAN_IN, FAN_IN), new Rng(1, Rng.Stream.INIT, 0));
        double squares = 0;
        for (double w : tensor.toDoubleArray()) {
            squares += w * w;
        }
        double band = 5 * Math.sqrt(2.0 / count); // five standard deviations of a chi-square share
        assertEquals(1, squares / count * FAN_IN / varianceTimesFanIn, band);
    }
}
