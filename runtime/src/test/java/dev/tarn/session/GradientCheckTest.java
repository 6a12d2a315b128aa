package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static dev.tarn.session.GradientTest.KINKS;
import static dev.tarn.session.GradientTest.SMOOTH;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Gradients;
import dev.tarn.graph.Initializer;
import dev.tarn.graph.Node;
import dev.tarn.graph.Op;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Spec;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.Activation;
import dev.tarn.graph.op.ActivationOp;
import dev.tarn.graph.op.BiasOp;
import dev.tarn.kernel.KernelCall;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.GroupNorm;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Tanh;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.nn.loss.HingeLoss;
import dev.tarn.nn.loss.Loss;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.Group;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The gradient check itself (K1): what it catches, what it leaves out, and combinations of layers and losses. */
class GradientCheckTest {
    private static final int CLASSES = 3;
    private static final Shape INPUT = Shape.of(3, 3, 7, 6);

    private final OwnedMemory memory = OwnedMemory.open("batch");
    private final Batch batch = Batches.labelled(memory, DType.F64, INPUT, CLASSES, 5);

    @AfterEach
    void close() {
        memory.close();
    }

    private static Layer smooth(Layer norm) {
        return new Sequential(
                new Conv2d(3, 4, window(3)), norm, new Tanh(), new Flatten(), new Linear(4 * 20, CLASSES));
    }

    @Test
    void k1_every_loss_after_every_normalisation() {
        Batch regression = Batches.regression(memory, DType.F64, INPUT, Shape.of(3, CLASSES), 6);
        for (Loss loss : new Loss[] {
            new CrossEntropyLoss(),
            new CrossEntropyLoss(0.1).withClassWeights(1, 2, 0.5),
            new MSELoss(),
            new HingeLoss()
        }) {
            for (Layer norm : new Layer[] {new BatchNorm2d(4), new GroupNorm(2, 4)}) {
                Batch data = loss instanceof MSELoss ? regression : batch;
                double bound = loss instanceof HingeLoss ? KINKS : SMOOTH;
                double error = GradientCheck.of(smooth(norm), loss, data, 3).worstError();
                assertTrue(error < bound, loss + " after " + norm + ": " + error);
            }
        }
    }

    /** Scales by 0.5 what is negative, and claims that the factor is 0.505. */
    private record WrongOp(ActivationOp right) implements Op {
        @Override
        public String name() {
            return "wrong";
        }

        @Override
        public List<Spec> infer(List<Value> inputs, String path) {
            return right.infer(inputs, path);
        }

        @Override
        public List<KernelCall<Value>> calls(Node node) {
            return right.calls(node);
        }

        @Override
        public void backward(Node node, Gradients gradients) {
            var wrong = new ActivationOp.Backward(Activation.leakyRelu(0.505));
            gradients.propagate(node.input(0), wrong, node, node.output(), gradients.ofOutput(node));
        }
    }

    @Test
    void k1_a_gradient_that_is_wrong_by_one_percent_is_caught() {
        Layer wrong = new Sequential(
                new Conv2d(3, 4, window(3)),
                new BatchNorm2d(4),
                new Layer() {
                    private final Parameter below = // all that was normalised is negative then
                            parameter("below", Shape.of(4), Parameter.Role.BIAS, Initializer.constant(-10));

                    @Override
                    public Value forward(Value x) {
                        Value y = x.apply(
                                new BiasOp(Activation.NONE), "below", x.graph().parameter(below));
                        return y.apply(new WrongOp(new ActivationOp(Activation.leakyRelu(0.5))), "wrong");
                    }
                },
                new Flatten(),
                new Linear(4 * 20, CLASSES));
        GradientCheck.Report report = GradientCheck.of(wrong, new CrossEntropyLoss(), batch, 3);
        assertEquals(0.01 / 1.01, report.errors().get("0.weight"), 1e-6);
        assertEquals(0.01 / 1.01, report.errors().get("1.bias"), 1e-6);
        assertEquals(0, report.errors().get("4.weight"), SMOOTH);
    }

    @Test
    void k1_points_at_kinks_are_counted_and_left_out() {
        Layer kinked = new Sequential(new Flatten(), new Linear(126, CLASSES), new ReLU());
        Batch zeros = Batches.labelled(memory, DType.F64, INPUT, CLASSES, 5);
        zeros.images().fill(() -> 0); // all outputs are at the kink, whatever the weights, and move with the bias alone
        GradientCheck.Report report = GradientCheck.of(kinked, new CrossEntropyLoss(), zeros, 3);
        assertEquals(16, report.samples());
        assertEquals(8, report.skipped());
        assertEquals(0, report.worstError());
    }

    /** The step of plain SGD at rate 1 is the gradient of what forward and regularizationLoss return together. */
    private void assertStepIsGradientOfSum(Group group) {
        double h = 1e-5;
        var sgd = new SGD().with(group);
        try (Model model = Model.create(smooth(new GroupNorm(2, 4)), 3, DType.F64);
                var session = model.training(INPUT, new CrossEntropyLoss(), sgd)) {
            Tensor weight = model.tensor("0.weight");
            double[] start = weight.toDoubleArray();
            double[] numeric = new double[start.length];
            for (int i = 0; i < start.length; i++) {
                numeric[i] =
                        (total(session, weight, i, start[i] + h) - total(session, weight, i, start[i] - h)) / (2 * h);
                set(weight, i, start[i]);
            }
            session.forward(batch);
            session.backward();
            session.update(1);
            double[] end = weight.toDoubleArray();
            double difference = 0;
            double length = 0;
            for (int i = 0; i < start.length; i++) {
                double analytic = start[i] - end[i];
                difference += (analytic - numeric[i]) * (analytic - numeric[i]);
                length += numeric[i] * numeric[i];
            }
            assertTrue(Math.sqrt(difference / length) < SMOOTH, "error " + Math.sqrt(difference / length));
        }
    }

    private double total(TrainingSession session, Tensor weight, int i, double value) {
        set(weight, i, value);
        return session.forward(batch) + session.regularizationLoss();
    }

    private static void set(Tensor weight, int i, double value) {
        Shape s = weight.shape();
        long inner = s.size(2) * s.size(3);
        weight.set(value, i / (s.size(1) * inner), i / inner % s.size(1), i % inner / s.size(3), i % s.size(3));
    }

    @Test
    void k1_a_step_is_the_gradient_with_the_regulariser_off_and_on() {
        assertStepIsGradientOfSum(Group.all());
        assertStepIsGradientOfSum(Group.all().l2(0.3));
        assertStepIsGradientOfSum(Group.all().l1(0.2));
        assertStepIsGradientOfSum(Group.all().l2(0.3).l1(0.2));
    }
}
