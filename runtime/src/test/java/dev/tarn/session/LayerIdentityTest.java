package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Value;
import dev.tarn.memory.Family;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Sigmoid;
import dev.tarn.nn.init.Gaussian;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows C1, C11, C14, A16 and T10: layers put together. */
class LayerIdentityTest {
    private final OwnedMemory memory = OwnedMemory.open("batches");

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void c1_flattening_is_in_channel_row_column_order_and_a_linear_layer_is_a_window_over_everything() {
        Shape input = Shape.of(2, 3, 32, 32);
        Batch batch = Batches.labelled(memory, DType.F32, input, 10, 1);
        float[] x = batch.images().toArray();
        try (var flat = Model.create(new Flatten(), 1);
                var linear = Model.create(new Sequential(new Flatten(), new Linear(3072, 10)), 1);
                var convolution = Model.create(new Sequential(new Conv2d(3, 10, window(32)), new Flatten()), 2)) {
            convolution.tensor("0.weight").copyFrom(linear.tensor("1.weight").toArray());
            float[] rows;
            float[] scores;
            float[] windows;
            try (var session = flat.inference(input)) {
                Tensor y = session.run(batch);
                assertEquals(Shape.of(2, 3072), y.shape());
                rows = y.toArray();
            }
            assertArrayEquals(x, rows); // and seen as (N, C, H, W) again it is the image
            try (var session = linear.inference(input)) {
                scores = session.run(batch).toArray();
            }
            try (var session = convolution.inference(input)) {
                windows = session.run(batch).toArray();
            }
            float[] w = linear.tensor("1.weight").toArray();
            double gamma = 3073 * 0x1p-24 / (1 - 3073 * 0x1p-24);
            for (int i = 0; i < scores.length; i++) {
                double exact = 0;
                double sizes = 0;
                for (int k = 0; k < 3072; k++) {
                    double product = (double) w[i % 10 * 3072 + k] * x[i / 10 * 3072 + k];
                    exact += product;
                    sizes += Math.abs(product);
                }
                assertEquals(exact, scores[i], gamma * sizes);
                assertEquals(exact, windows[i], gamma * sizes);
            }
        }
    }

    @Test
    void c11_ten_filters_of_5x5x3_have_760_parameters_in_summary_and_plan() {
        Layer layer = new Sequential(new Conv2d(3, 10, window(5)));
        Summary summary = Summary.ofInference(layer, Shape.of(1, 3, 32, 32), SessionOptions.DEFAULT);
        assertEquals(760, summary.rows().getFirst().parameters());
        assertEquals(760, summary.parameters());
        try (var model = Model.create(layer, 1)) {
            assertEquals(760, model.parameterCount());
            assertEquals(
                    4 * 760,
                    model.tensors().values().stream()
                            .mapToLong(Tensor::byteSize)
                            .sum());
            // Each of both begins at a multiple of 64 bytes.
            assertEquals(3008 + 64, model.memory().bytesByFamily().get(Family.PARAMETERS));
        }
    }

    /** The same layers called one after the other. */
    private static final class ByHand extends Layer {
        private final Layer first = child("0", new Conv2d(3, 4, window(5)));
        private final Layer second = child("2", new Conv2d(4, 2, window(3)));

        @Override
        public Value forward(Value x) {
            return second.forward(first.forward(x).relu()).relu();
        }
    }

    @Test
    void c14_a_sequence_is_its_layers_one_after_the_other() {
        Shape input = Shape.of(2, 3, 12, 12);
        Batch batch = Batches.labelled(memory, DType.F32, input, 10, 1);
        Layer sequence =
                new Sequential(new Conv2d(3, 4, window(5)), new ReLU(), new Conv2d(4, 2, window(3)), new ReLU());
        try (var a = Model.create(sequence, 7);
                var b = Model.create(new ByHand(), 7);
                var first = a.inference(input);
                var second = b.inference(input)) {
            assertEquals(b.tensors().keySet(), a.tensors().keySet());
            assertArrayEquals(second.run(batch).toArray(), first.run(batch).toArray());
        }
    }

    /** d y / d x of a cascade at x, where x is the one weight of a first layer that is given 1, and y - 1/2 its squared error's root. */
    private double derivative(double x, Layer... activations) {
        Layer[] all = Stream.concat(Stream.of(new Linear(1, 1, Bias.NONE, Gaussian.of(1))), Arrays.stream(activations))
                .toArray(Layer[]::new);
        Batch batch = Batches.regression(memory, DType.F64, Shape.of(1, 1), Shape.of(1, 1), 1);
        batch.images().set(1, 0, 0);
        try (var model = Model.create(new Sequential(all), 1, DType.F64);
                var session = model.training(Shape.of(1, 1), new MSELoss(), new SGD())) {
            model.tensor("0.weight").set(x, 0, 0);
            session.forward(batch);
            double y = session.output(1).get(0, 0);
            batch.labels().set(y - 0.5, 0, 0); // so that the loss has slope 1 in y
            session.forward(batch);
            session.backward();
            return session.gradient("0.weight").get(0, 0);
        }
    }

    @Test
    void a16_a_cascade_of_sigmoids_has_nearly_no_derivative_and_one_of_relu_keeps_it() {
        double x = 0.7;
        double h = 1e-4;
        for (int depth = 1; depth <= 8; depth++) {
            double chain = 1;
            double y = x;
            double above = x + h;
            double below = x - h;
            Layer[] sigmoids = new Layer[depth];
            Layer[] relus = new Layer[depth];
            for (int i = 0; i < depth; i++) {
                sigmoids[i] = new Sigmoid();
                relus[i] = new ReLU();
                y = 1 / (1 + Math.exp(-y));
                above = 1 / (1 + Math.exp(-above));
                below = 1 / (1 + Math.exp(-below));
                chain *= y * (1 - y);
            }
            double got = derivative(x, sigmoids);
            assertEquals(chain, got, 1e-13);
            assertEquals((above - below) / (2 * h), got, 1e-8 * got + 1e-12); // h^2 and rounding / h
            assertTrue(got <= Math.pow(0.25, depth), depth + ": " + got);
            assertEquals(1, derivative(x, relus), 1e-15);
        }
    }

    private static final int EXAMPLES = 6;
    private static final int SIZE = 8;

    /**
     * Gradients of the images of a batch: the images are the filters of a first layer, whose input has a one in a channel of its own
     * for each, so that the gradient of a filter is that of its image, turned by 180 degrees.
     */
    private double[][] imageGradients(DType dtype, double change, int of, Layer... layers) {
        Layer images = new Conv2d(EXAMPLES, 3, window(SIZE).padding(SIZE - 1), Bias.NONE, 1, Gaussian.of(1));
        Layer[] all = Stream.concat(Stream.of(images), Arrays.stream(layers)).toArray(Layer[]::new);
        Shape input = Shape.of(EXAMPLES, EXAMPLES, 1, 1);
        Batch batch = Batches.labelled(memory, dtype, input, 4, 1);
        batch.images().copyFrom(new double[EXAMPLES * EXAMPLES]);
        for (int i = 0; i < EXAMPLES; i++) {
            batch.images().set(1, i, i, 0, 0);
        }
        try (var model = Model.create(new Sequential(all), 5, dtype);
                var session = model.training(input, new CrossEntropyLoss(), new SGD())) {
            Tensor weight = model.tensor("0.weight"); // (3, EXAMPLES, SIZE, SIZE)
            weight.set(weight.get(1, of, 2, 3) + change, 1, of, 2, 3);
            session.forward(batch);
            session.backward();
            double[][] gradients = new double[EXAMPLES][3 * SIZE * SIZE];
            Tensor gradient = session.gradient("0.weight");
            for (int example = 0; example < EXAMPLES; example++) {
                for (int i = 0; i < gradients[example].length; i++) {
                    gradients[example][i] = gradient.get(i / SIZE / SIZE, example, i / SIZE % SIZE, i % SIZE);
                }
            }
            return gradients;
        }
    }

    private static Layer[] layers(boolean normalized) {
        Layer first = new Conv2d(3, 5, window(3).padding(1));
        Layer second = new Sequential(
                new ReLU(),
                new MaxPool2d(2),
                new Conv2d(5, 6, window(3)),
                new Sigmoid(),
                new Flatten(),
                new Linear(6 * 4, 4));
        return normalized ? new Layer[] {first, new BatchNorm2d(5), second} : new Layer[] {first, second};
    }

    @ParameterizedTest
    @EnumSource(names = {"F32", "F64"})
    void t10_gradients_of_examples_are_independent_to_the_bit_but_for_batch_normalisation(DType dtype) {
        int changed = 2;
        double[][] before = imageGradients(dtype, 0, changed, layers(false));
        double[][] after = imageGradients(dtype, 1, changed, layers(false));
        double[][] normalized = imageGradients(dtype, 0, changed, layers(true));
        double[][] moved = imageGradients(dtype, 1, changed, layers(true));
        for (int i = 0; i < EXAMPLES; i++) {
            assertEquals(i != changed, Arrays.equals(before[i], after[i]), "example " + i);
            assertFalse(Arrays.equals(normalized[i], moved[i]), "example " + i);
        }
    }
}
