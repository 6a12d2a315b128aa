package dev.tarn.session;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.DoubleStream;

/** Models on numbers that a test chooses, all in logical order. */
final class Runs {
    private Runs() {}

    /** Standard normal numbers, exact as floats. */
    static double[] normal(long count, long seed) {
        Rng rng = new Rng(seed, Rng.Stream.DIGITS, 1);
        return DoubleStream.generate(() -> (float) rng.nextGaussian())
                .limit(count)
                .toArray();
    }

    /** What the model gives in inference. */
    static double[] inference(Model model, Shape shape, double... x) {
        try (var memory = OwnedMemory.open("x");
                var session = model.inference(shape)) {
            return session.run(tensor(memory, model, shape, x)).toDoubleArray();
        }
    }

    /** What the model gives in training; a forward pass moves running statistics. */
    static double[] training(Model model, Shape shape, double... x) {
        try (var memory = OwnedMemory.open("x");
                var session = model.training(shape, new MSELoss(), new SGD())) {
            Tensor images = tensor(memory, model, shape, x);
            Shape output = session.output(shape.size(0)).shape();
            Tensor target = tensor(memory, model, output, new double[(int) output.elementCount()]);
            session.forward(new Batch(images, target, memory));
            return session.output(shape.size(0)).toDoubleArray();
        }
    }

    /** Gradients of the mean square of the model's output, and that output under the empty name. */
    static Map<String, double[]> gradients(Model model, Shape shape, double... x) {
        try (var memory = OwnedMemory.open("x");
                var session = model.training(shape, new MSELoss(), new SGD())) {
            Shape output = session.output(shape.size(0)).shape();
            Tensor target = tensor(memory, model, output, new double[(int) output.elementCount()]);
            session.forward(new Batch(tensor(memory, model, shape, x), target, memory));
            session.backward();
            Map<String, double[]> all = new LinkedHashMap<>();
            all.put("", session.output(shape.size(0)).toDoubleArray());
            for (String path : model.tensors().keySet()) {
                if (!path.contains("running_")) {
                    all.put(path, session.gradient(path).toDoubleArray());
                }
            }
            return all;
        }
    }

    static Tensor tensor(OwnedMemory memory, Model model, Shape shape, double... values) {
        Layout layout = shape.rank() == 4 ? Layout.CHANNELS_LAST : Layout.ROW_MAJOR;
        long bytes = shape.elementCount() * model.dtype().byteSize();
        Tensor tensor = Tensor.view(memory.allocate(bytes), model.dtype(), shape, layout);
        tensor.copyFrom(values);
        return tensor;
    }
}
