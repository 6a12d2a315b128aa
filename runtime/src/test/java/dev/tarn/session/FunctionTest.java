package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Initializer;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Parameter.Role;
import dev.tarn.graph.TensorFunction;
import dev.tarn.graph.Value;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.LeakyReLU;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Operations in plain Java beside kernels. */
class FunctionTest {
    private static final int CLASSES = 3;
    private static final Shape IMAGES = Shape.of(4, 2, 6, 5);

    /** A layer of one function and, if it has a name, one parameter (1). */
    private static final class Custom extends Layer {
        private final TensorFunction function;
        private final @Nullable Parameter parameter;

        Custom(TensorFunction function, double start) {
            this.function = function;
            parameter = Double.isNaN(start)
                    ? null
                    : parameter("alpha", Shape.of(1), Role.WEIGHT, Initializer.constant(start));
        }

        @Override
        public Value forward(Value x) {
            return parameter == null
                    ? x.apply(function, label())
                    : x.apply(function, label(), x.graph().parameter(parameter));
        }
    }

    /** y = max(alpha x, x) elementwise, alpha learned or a constant. */
    private record Leak(double constant) implements TensorFunction {
        @Override
        public String name() {
            return "leak";
        }

        private double alpha(List<Tensor> inputs) {
            return inputs.size() > 1 ? inputs.get(1).get(0) : constant;
        }

        @Override
        public void forward(List<Tensor> inputs, Tensor output) {
            Tensor x = inputs.get(0);
            for (long i = 0; i < x.shape().elementCount(); i++) {
                double v = x.getAt(i);
                // As the kernel rounds: alpha is a float there.
                output.setAt(v > 0 ? v : (float) alpha(inputs) * v, i);
            }
        }

        @Override
        public void backward(List<Tensor> inputs, Tensor gradOutput, List<@Nullable Tensor> gradInputs) {
            Tensor x = inputs.get(0);
            for (long i = 0; i < x.shape().elementCount(); i++) {
                double v = x.getAt(i);
                double g = gradOutput.getAt(i);
                add(gradInputs.get(0), i, v > 0 ? g : (float) alpha(inputs) * g);
                if (gradInputs.size() > 1) {
                    add(gradInputs.get(1), 0, v > 0 ? 0 : v * g);
                }
            }
        }

        private static void add(@Nullable Tensor to, long i, double value) {
            if (to != null) {
                to.setAt(to.getAt(i) + value, i);
            }
        }
    }

    private static Layer net(Layer... first) {
        var all = new Layer[first.length + 4];
        System.arraycopy(first, 0, all, 0, first.length);
        all[first.length] = new Conv2d(2, 4, window(3), Bias.LEARNED);
        all[first.length + 1] = new Custom(new Leak(Double.NaN), 0.25);
        all[first.length + 2] = new Flatten();
        all[first.length + 3] = new Linear(4 * 4 * 3, CLASSES);
        return new Sequential(all);
    }

    @Test
    void a_function_and_its_parameter_have_the_right_gradients() {
        try (var memory = OwnedMemory.open("batch")) {
            var batch = Batches.labelled(memory, DType.F64, IMAGES, CLASSES, 5);
            var report = GradientCheck.of(net(), new CrossEntropyLoss(), batch, 3);
            assertTrue(report.errors().containsKey("1.alpha"), report.toString());
            assertTrue(report.worstError() < GradientTest.KINKS, report.toString());
        }
    }

    @Test
    void a_function_of_the_images_themselves_follows_each_batch() {
        try (var memory = OwnedMemory.open("batches");
                var model = Model.create(net(new Custom(new Leak(0.5), Double.NaN)), 1);
                var whole = model.inference(IMAGES);
                var single = model.inference(IMAGES.withBatch(1))) {
            for (int seed = 0; seed < 2; seed++) {
                var batch = Batches.labelled(memory, DType.F32, IMAGES, CLASSES, seed);
                float[] together = whole.run(batch).toArray();
                var alone = new Batch(batch.images().prefix(1), batch.labels().prefix(1), memory);
                float[] first = single.run(alone).toArray();
                assertArrayEquals(Arrays.copyOf(together, CLASSES), first);
                assertArrayEquals(first, whole.run(alone).toArray()); // a smaller batch than planned
            }
        }
    }

    @Test
    void training_has_the_bits_of_the_layer_that_kernels_compute() {
        assertArrayEquals(trained(new LeakyReLU(0.25)), trained(new Custom(new Leak(0.25), Double.NaN)));
    }

    /** The output after two steps of a network with a layer under test. */
    private static float[] trained(Layer layer) {
        var net = new Sequential(new Conv2d(2, 4, window(3)), layer, new Flatten(), new Linear(48, CLASSES));
        try (var memory = OwnedMemory.open("batch");
                var model = Model.create(net, 1);
                var session = model.training(IMAGES, new CrossEntropyLoss(), new SGD())) {
            var batch = Batches.labelled(memory, DType.F32, IMAGES, CLASSES, 2);
            for (int step = 0; step < 2; step++) {
                session.forward(batch);
                session.backward();
                session.update(0.1);
            }
            session.forward(batch);
            return session.output(IMAGES.size(0)).toArray();
        }
    }

    @Test
    void what_a_function_throws_reaches_the_caller_and_the_session_goes_on() {
        var failing = new boolean[] {true};
        TensorFunction picky = new TensorFunction() {
            @Override
            public String name() {
                return "picky";
            }

            @Override
            public void forward(List<Tensor> inputs, Tensor output) {
                if (failing[0]) {
                    throw new IllegalStateException("not today");
                }
                output.copyFrom(inputs.get(0));
            }

            @Override
            public void backward(List<Tensor> inputs, Tensor gradOutput, List<@Nullable Tensor> gradInputs) {
                throw new AssertionError("no gradient is asked for in inference");
            }
        };
        try (var memory = OwnedMemory.open("batch");
                var model = Model.create(net(new Custom(picky, Double.NaN)), 1);
                var session = model.inference(IMAGES)) {
            var batch = Batches.labelled(memory, DType.F32, IMAGES, CLASSES, 5);
            var error = assertThrows(IllegalStateException.class, () -> session.run(batch));
            assertEquals("not today", error.getMessage());
            failing[0] = false;
            assertTrue(Float.isFinite(session.run(batch).toArray()[0]));
        }
    }

    @Test
    void a_shape_that_does_not_fit_names_the_layer() {
        TensorFunction rows = new TensorFunction() {
            @Override
            public String name() {
                return "rows";
            }

            @Override
            public Shape outputShape(List<Shape> inputs) {
                throw new IllegalArgumentException("takes rows, not " + inputs.get(0));
            }

            @Override
            public void forward(List<Tensor> inputs, Tensor output) {}

            @Override
            public void backward(List<Tensor> inputs, Tensor gradOutput, List<@Nullable Tensor> gradInputs) {}
        };
        try (var model = Model.create(net(new Custom(rows, Double.NaN)), 1)) {
            var error = assertThrows(IllegalArgumentException.class, () -> model.inference(IMAGES));
            assertEquals("0: takes rows, not (1, 2, 6, 5)", error.getMessage());
        }
    }
}
