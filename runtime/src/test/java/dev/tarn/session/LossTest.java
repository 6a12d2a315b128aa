package dev.tarn.session;

import static dev.tarn.session.GradientTest.KINKS;
import static dev.tarn.session.GradientTest.SMOOTH;
import static dev.tarn.session.GradientTest.check;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tarn.Messages;
import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Linear;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.nn.loss.HingeLoss;
import dev.tarn.nn.loss.Loss;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import dev.tarn.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Section 4 of the methods. */
class LossTest {
    private static final int N = 6;
    private static final int CLASSES = 5;
    private static final int[] LABELS = {4, 0, 2, 2, 1, 3};
    private static final double[] LOGITS = Runs.normal(N * CLASSES, 9);
    private static final double[] WEIGHTS = {0.5, 2, 1, 0.25, 3};
    private static final double SMOOTHING = 0.2;
    private static final Shape IMAGES = Shape.of(3, 3, 7, 6);

    /** A loss and its gradient with respect to the logits of one example, or of all summed up. */
    private record Outcome(double loss, double[] gradient) {}

    /** Logits go through a linear layer that is the identity; the gradient of its bias is that of the logits. */
    private static Outcome of(Loss loss, DType dtype, double[] logits, int... labels) {
        Shape shape = Shape.of(labels.length, CLASSES);
        try (Model model = Model.create(new Linear(CLASSES, CLASSES), 1, dtype);
                var memory = OwnedMemory.open("logits");
                var session = model.training(shape, loss, new SGD())) {
            double[] identity = new double[CLASSES * CLASSES];
            for (int c = 0; c < CLASSES; c++) {
                identity[c * (CLASSES + 1)] = 1;
            }
            model.tensor("weight").copyFrom(identity);
            model.tensor("bias").copyFrom(new double[CLASSES]);
            Tensor target = Tensor.view(
                    memory.allocate(4L * labels.length), DType.I32, Shape.of(labels.length), Layout.ROW_MAJOR);
            target.copyFrom(Arrays.stream(labels).asDoubleStream().toArray());
            double value = session.forward(new Batch(Runs.tensor(memory, model, shape, logits), target, memory));
            session.backward();
            return new Outcome(value, session.gradient("bias").toDoubleArray());
        }
    }

    private static double[] row(int n) {
        return Arrays.copyOfRange(LOGITS, n * CLASSES, (n + 1) * CLASSES);
    }

    /** log softmax of a row */
    private static double[] logProbabilities(double[] row) {
        double sum = Arrays.stream(row).map(Math::exp).sum();
        return Arrays.stream(row).map(x -> x - Math.log(sum)).toArray();
    }

    @Test
    void l1_gradient_rows_sum_to_zero() {
        for (CrossEntropyLoss loss : new CrossEntropyLoss[] {
            new CrossEntropyLoss(),
            new CrossEntropyLoss(SMOOTHING),
            new CrossEntropyLoss(SMOOTHING).withClassWeights(WEIGHTS)
        }) {
            for (int n = 0; n < N; n++) {
                double sum = 0;
                double size = 0;
                for (double g : of(loss, DType.F32, row(n), LABELS[n]).gradient) {
                    sum += g;
                    size += Math.abs(g) + 1; // a probability and a gradient are each rounded once
                }
                assertEquals(0, sum, size * 0x1p-24 * 3);
            }
        }
    }

    @Test
    void l1_the_gradient_is_probability_minus_target_over_m() {
        double[] sums = new double[CLASSES];
        for (int n = 0; n < N; n++) {
            double[] p = logProbabilities(row(n));
            for (int c = 0; c < CLASSES; c++) {
                sums[c] += (Math.exp(p[c]) - (c == LABELS[n] ? 1 : 0)) / N;
            }
        }
        double[] got = of(new CrossEntropyLoss(), DType.F64, LOGITS, LABELS).gradient;
        for (int c = 0; c < CLASSES; c++) {
            assertEquals(sums[c], got[c], 1e-15);
        }
    }

    @Test
    void l1_uniform_logits_give_the_logarithm_of_the_number_of_classes() {
        double[] uniform = new double[N * CLASSES];
        Arrays.fill(uniform, 0.7);
        assertEquals(Math.log(CLASSES), of(new CrossEntropyLoss(), DType.F32, uniform, LABELS).loss, 1e-14);
        assertEquals(Math.log(CLASSES), of(new CrossEntropyLoss(SMOOTHING), DType.F32, uniform, LABELS).loss, 1e-14);
    }

    @Test
    void l1_a_shift_of_all_logits_changes_nothing() {
        for (DType dtype : new DType[] {DType.F32, DType.F64}) {
            double[] logits = Arrays.stream(LOGITS)
                    .map(x -> Math.rint(x * 64) / 64)
                    .toArray(); // exact as floats also when shifted
            double[] shifted = Arrays.stream(logits).map(x -> x + 1e4).toArray();
            var loss = new CrossEntropyLoss(SMOOTHING).withClassWeights(WEIGHTS);
            assertEquals(of(loss, dtype, logits, LABELS).loss, of(loss, dtype, shifted, LABELS).loss, 1e-6);
        }
    }

    @Test
    void l1_class_weights_and_smoothing_combine_as_in_libtorch() {
        for (double smoothing : new double[] {0, SMOOTHING}) {
            double labelled = 0;
            double smooth = 0;
            double divisor = 0;
            double[] gradient = new double[CLASSES];
            for (int n = 0; n < N; n++) {
                double[] logP = logProbabilities(row(n));
                labelled -= WEIGHTS[LABELS[n]] * logP[LABELS[n]];
                divisor += WEIGHTS[LABELS[n]];
                double whole = (1 - smoothing) * WEIGHTS[LABELS[n]];
                for (int c = 0; c < CLASSES; c++) {
                    smooth -= WEIGHTS[c] * logP[c];
                    whole += smoothing / CLASSES * WEIGHTS[c];
                }
                for (int c = 0; c < CLASSES; c++) {
                    double target = ((c == LABELS[n] ? 1 - smoothing : 0) + smoothing / CLASSES) * WEIGHTS[c];
                    gradient[c] += Math.exp(logP[c]) * whole - target;
                }
            }
            Outcome got = of(new CrossEntropyLoss(smoothing).withClassWeights(WEIGHTS), DType.F64, LOGITS, LABELS);
            assertEquals(
                    (1 - smoothing) * labelled / divisor + smoothing / CLASSES * smooth / divisor, got.loss, 1e-14);
            for (int c = 0; c < CLASSES; c++) {
                assertEquals(gradient[c] / divisor, got.gradient[c], 1e-15);
            }
        }
    }

    @Test
    void l1_weights_of_one_are_no_weights_and_nonsense_is_refused() {
        var plain = new CrossEntropyLoss(SMOOTHING);
        double want = of(plain, DType.F64, LOGITS, LABELS).loss;
        assertEquals(want, of(plain.withClassWeights(1, 1, 1, 1, 1), DType.F64, LOGITS, LABELS).loss, 1e-14);
        assertThrows(IllegalArgumentException.class, () -> plain.withClassWeights());
        assertThrows(IllegalArgumentException.class, () -> plain.withClassWeights(1, -1));
        assertThrows(IllegalArgumentException.class, () -> plain.withClassWeights(Double.NaN));
        var e = assertThrows(ShapeException.class, () -> of(plain.withClassWeights(1, 2), DType.F64, LOGITS, LABELS));
        Messages.assertSays(ShapeException.class, e, "2 classes", "(6, 5)", "weights of classes");
    }

    @Test
    void l3_hinge_is_the_excess_of_each_class_over_the_label_less_the_margin() {
        double want = 0;
        double[] gradient = new double[CLASSES];
        for (int n = 0; n < N; n++) {
            double[] scores = row(n);
            for (int c = 0; c < CLASSES; c++) {
                double excess = scores[c] - scores[LABELS[n]] + 1;
                if (c != LABELS[n] && excess > 0) {
                    want += excess / N;
                    gradient[c] += 1.0 / N;
                    gradient[LABELS[n]] -= 1.0 / N;
                }
            }
        }
        Outcome got = of(new HingeLoss(), DType.F64, LOGITS, LABELS);
        assertEquals(want, got.loss, 1e-14);
        for (int c = 0; c < CLASSES; c++) {
            assertEquals(gradient[c], got.gradient[c], 1e-15);
        }
    }

    @Test
    void l3_gradients_of_hinge_and_squares_equal_finite_differences() {
        check(KINKS, IMAGES, new HingeLoss());
        check(SMOOTH, IMAGES, new MSELoss());
    }

    @Test
    void k1_gradients_of_weighted_and_smoothed_cross_entropy() {
        check(SMOOTH, IMAGES, new CrossEntropyLoss().withClassWeights(0.5, 2, 1));
        check(SMOOTH, IMAGES, new CrossEntropyLoss(SMOOTHING).withClassWeights(0.5, 2, 1));
    }
}
