package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Sigmoid;
import dev.tarn.nn.Tanh;
import dev.tarn.nn.init.Distribution;
import dev.tarn.nn.init.Initialization;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import java.util.EnumSet;
import java.util.List;
import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class LintsTest {
    private static final Shape INPUT = Shape.of(4, 3, 32, 32);

    private final OwnedMemory memory = OwnedMemory.open("batches");

    @AfterEach
    void close() {
        memory.close();
    }

    /** What is warned of: identifiers and paths. */
    private static List<String> names(List<Lint> lints) {
        return lints.stream().map(l -> l.id().label() + " " + l.path()).toList();
    }

    private static List<String> names(Layer... layers) {
        return names(Lints.of(new Sequential(layers), INPUT));
    }

    @Test
    void a14_sigmoid_and_tanh_are_warned_of_in_hidden_layers_only() {
        assertEquals(
                List.of("sigmoid-hidden 1", "sigmoid-hidden 4"),
                names(
                        new Conv2d(3, 4, window(3)),
                        new Sigmoid(),
                        new Flatten(),
                        new Linear(4 * 900, 5),
                        new Tanh(),
                        new Linear(5, 2),
                        new Sigmoid()));
        assertEquals(List.of(), names(new Conv2d(3, 4, window(3)), new ReLU(), new Flatten(), new Linear(3600, 5)));
    }

    @Test
    void c10_five_unpadded_5x5_layers_are_warned_of_and_padded_ones_are_not() {
        Layer[] unpadded = new Layer[5];
        Layer[] padded = new Layer[5];
        for (int i = 0; i < 5; i++) {
            unpadded[i] = new Conv2d(3, 3, window(5));
            padded[i] = new Conv2d(3, 3, window(5).padding(2));
        }
        List<Lint> lints = Lints.of(new Sequential(unpadded), INPUT); // 28, 24, 20, 16, 12
        assertEquals(List.of("shrinking 4"), names(lints));
        assertTrue(lints.getFirst().reason().contains("from 32x32 to 12x12"), lints.toString());
        assertEquals(List.of(), names(padded));
        // What pooling and strides take away is meant, and so is a window over all that is left.
        assertEquals(
                List.of(),
                names(
                        new Conv2d(3, 3, window(5)),
                        new MaxPool2d(2),
                        new Conv2d(3, 3, window(5)),
                        new MaxPool2d(2),
                        new Conv2d(3, 3, window(5))));
    }

    @Test
    void n14_dropout_beside_or_before_batch_normalisation_is_warned_of() {
        List<Lint> lints = Lints.of(
                new Sequential(new Conv2d(3, 4, window(3)), new BatchNorm2d(4), new ReLU(), Dropout.keep(0.5)), INPUT);
        assertEquals(List.of("dropout-batchnorm 3"), names(lints));
        assertTrue(lints.getFirst().reason().contains("one school never combines them"), lints.toString());
        assertTrue(lints.getFirst().toString().endsWith("[--silence dropout-batchnorm]"), lints.toString());
        assertEquals(
                List.of("dropout-batchnorm 1"),
                names(new Conv2d(3, 4, window(3)), Dropout.keep(0.5), new Conv2d(4, 4, window(3)), new BatchNorm2d(4)));
        assertEquals(
                List.of(),
                names(
                        new Conv2d(3, 4, window(3)),
                        new BatchNorm2d(4),
                        new MaxPool2d(2),
                        new Flatten(),
                        new Linear(4 * 225, 9),
                        new ReLU(),
                        Dropout.keep(0.5),
                        new Linear(9, 2)));
    }

    @Test
    void i1_equal_weights_are_warned_of() {
        var net = new Sequential(new Conv2d(3, 4, window(3)), new BatchNorm2d(4), new Flatten(), new Linear(3600, 5));
        try (var zero = Model.create(net, 1, Initialization.parse("constant=0", Distribution.NORMAL));
                var drawn = Model.create(net, 1)) {
            assertEquals(List.of("equal-weights 0.weight", "equal-weights 3.weight"), names(Lints.of(zero)));
            assertEquals(List.of(), names(Lints.of(drawn)));
        }
    }

    /** Normal images, each value through a function. */
    private List<String> ofImages(DoubleUnaryOperator of) {
        Batch batch = Batches.labelled(memory, DType.F32, INPUT, 5, 1);
        double[] values = batch.images().toDoubleArray();
        for (int i = 0; i < values.length; i++) {
            values[i] = of.applyAsDouble(values[i]);
        }
        batch.images().copyFrom(values);
        return names(Lints.of(batch));
    }

    @Test
    void p10_raw_bytes_are_warned_of() {
        DoubleUnaryOperator bytes = x -> Math.clamp(Math.round(128 + 50 * x), 0, 255);
        assertEquals(List.of("input-range images", "uncentred-input images"), ofImages(bytes));
        assertEquals(List.of("input-range images"), ofImages(x -> bytes.applyAsDouble(x) - 128));
        assertEquals(List.of("input-range images"), ofImages(x -> x / 255)); // scaled twice
        assertEquals(List.of(), ofImages(x -> x));
        assertEquals(List.of(), ofImages(x -> Math.clamp(x / 3, -1, 1)));
    }

    @Test
    void a3_inputs_of_one_sign_are_warned_of() {
        assertEquals(List.of("uncentred-input images"), ofImages(Math::abs));
        assertEquals(List.of("uncentred-input images"), ofImages(x -> x + 1.5)); // its mean beyond its deviation
        assertEquals(List.of(), ofImages(x -> x + 0.5));
        assertEquals(List.of(), ofImages(x -> 0));
    }

    @Test
    void a3_positive_inputs_give_all_weights_of_a_neuron_gradients_of_one_sign_for_one_image_and_not_for_two() {
        for (int images = 1; images <= 2; images++) {
            Shape input = Shape.of(images, 20);
            Batch batch = Batches.labelled(memory, DType.F64, input, 5, 1);
            double[] values = batch.images().toDoubleArray();
            for (int i = 0; i < values.length; i++) {
                values[i] = Math.abs(values[i]);
            }
            batch.images().copyFrom(values);
            batch.labels().set(0, 0);
            batch.labels().set(1, images - 1L);
            try (var model = Model.create(new Linear(20, 5), 1, DType.F64);
                    var session = model.training(input, new CrossEntropyLoss(), new SGD())) {
                session.forward(batch);
                session.backward();
                double[] gradient = session.gradient("weight").toDoubleArray();
                int mixed = 0;
                for (int neuron = 0; neuron < 5; neuron++) {
                    int positive = 0;
                    for (int i = 0; i < 20; i++) {
                        positive += gradient[20 * neuron + i] > 0 ? 1 : 0;
                    }
                    mixed += positive != 0 && positive != 20 ? 1 : 0;
                }
                if (images == 1) {
                    assertEquals(0, mixed);
                } else {
                    assertNotEquals(0, mixed);
                }
            }
        }
    }

    @Test
    void a_gap_of_a_tenth_is_warned_of() {
        assertEquals(List.of("train-gap "), names(Lints.ofGap(0.99, 0.85)));
        assertEquals(List.of(), Lints.ofGap(0.95, 0.9));
        assertEquals(List.of(), Lints.ofGap(0.85, 0.99));
    }

    @Test
    void identifiers_by_name() {
        assertEquals(EnumSet.of(Lint.Id.SHRINKING, Lint.Id.TRAIN_GAP), Lint.Id.parse("shrinking,train-gap"));
        assertEquals(EnumSet.allOf(Lint.Id.class), Lint.Id.parse("all"));
        String message = assertThrows(IllegalArgumentException.class, () -> Lint.Id.parse("shrinkin"))
                .getMessage();
        assertTrue(message.contains("'shrinkin'") && message.contains("shrinking, dead-units"), message);
    }
}
