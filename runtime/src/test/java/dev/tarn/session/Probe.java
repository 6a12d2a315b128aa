package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Layer;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** What a layer makes of one example, and the gradient that it sends back, in logical order. */
final class Probe {
    /**
     * @param gradOutput what the layer got: that of the mean of squares, 2 y / elements
     * @param gradInput what it made of it
     */
    record Trained(double[] output, double[] gradOutput, double[] gradInput) {}

    /** Adds zeros that have a gradient, which is that of the layer's input, and runs the layer. */
    private static final class Watched extends Layer {
        private final Parameter shift;
        private final Layer layer;

        Watched(Shape input, Layer layer) {
            shift = parameter("shift", input, Parameter.Role.BIAS, Initializer.constant(0));
            this.layer = child("layer", layer);
        }

        @Override
        public Value forward(Value x) {
            return layer.forward(x.add(x.graph().parameter(shift)));
        }
    }

    private Probe() {}

    /** The first training step of a model with that seed; the input is one example. */
    static Trained train(Layer layer, DType dtype, long seed, Shape input, double... x) {
        try (var memory = OwnedMemory.open("x");
                Model model = Model.create(new Watched(input, layer), seed, dtype)) {
            Tensor images = tensor(memory, dtype, input, x);
            Shape output;
            try (var inference = model.inference(input)) {
                output = inference.run(images).shape();
            }
            Tensor zeros = tensor(memory, dtype, output, new double[(int) output.elementCount()]);
            try (var session = model.training(input, new MSELoss(), new SGD())) {
                session.forward(new Batch(images, zeros, memory));
                double[] y = session.output(1).toDoubleArray();
                session.backward();
                double[] gradOutput = map(y, v -> 2 * v / y.length);
                return new Trained(y, gradOutput, session.gradient("shift").toDoubleArray());
            }
        }
    }

    /** What inference makes of a batch. */
    static double[] infer(Layer layer, DType dtype, Shape input, double... x) {
        try (var memory = OwnedMemory.open("x");
                Model model = Model.create(layer, 1, dtype);
                var session = model.inference(input)) {
            return session.run(tensor(memory, dtype, input, x)).toDoubleArray();
        }
    }

    static Tensor tensor(OwnedMemory memory, DType dtype, Shape shape, double... values) {
        Layout layout = shape.rank() == 4 ? Layout.CHANNELS_LAST : Layout.ROW_MAJOR;
        Tensor tensor = Tensor.view(memory.allocate(shape.elementCount() * dtype.byteSize()), dtype, shape, layout);
        int[] i = {0};
        tensor.fill(() -> values[i[0]++]);
        return tensor;
    }

    static double[] map(double[] x, DoubleUnaryOperator f) {
        return Arrays.stream(x).map(f).toArray();
    }
}
