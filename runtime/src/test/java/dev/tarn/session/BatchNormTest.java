package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.Messages;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.graph.op.BatchNormOp.Estimate;
import dev.tarn.graph.op.BatchNormOp.Smoothed;
import dev.tarn.graph.rewrite.Rewrite;
import dev.tarn.memory.Family;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.ShapeException;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Section 7 of the methods, batch normalisation. */
class BatchNormTest {
    private static final double U = 0x1p-24;
    private static final int C = 3;
    private static final Shape SHAPE = Shape.of(4, C, 5, 6);
    private static final double EPS = 1e-5;

    /** Images whose channels have means of 0, 40 and 80. */
    private static final double[] X = Runs.normal(SHAPE.elementCount(), 1);

    static {
        for (int i = 0; i < X.length; i++) {
            X[i] += i / 30 % C * 40.0;
        }
    }

    /** Mean and biased variance of a channel of images of 5 x 6 pixels. */
    private record Moments(double mean, double var) {
        static Moments of(double[] images, int channel) {
            double sum = 0;
            double squares = 0;
            double m = images.length / (double) C;
            for (int i = 0; i < images.length; i++) {
                sum += i / 30 % C == channel ? images[i] : 0;
            }
            for (int i = 0; i < images.length; i++) {
                squares += i / 30 % C == channel ? (images[i] - sum / m) * (images[i] - sum / m) : 0;
            }
            return new Moments(sum / m, squares / m);
        }
    }

    private static BatchNorm2d norm(Smoothed smoothed, Estimate estimate, double keep) {
        return new BatchNorm2d(C, EPS, keep, smoothed, estimate);
    }

    @Test
    void n1_training_output_has_mean_zero_and_the_variance_that_eps_leaves() {
        try (Model model = Model.create(new BatchNorm2d(C), 1)) {
            double[] y = Runs.training(model, SHAPE, X);
            for (int c = 0; c < C; c++) {
                Moments x = Moments.of(X, c);
                double bound = 5 * U * (Math.abs(x.mean) / Math.sqrt(x.var) + 2);
                assertEquals(0, Moments.of(y, c).mean, bound);
                assertEquals(x.var / (x.var + EPS), Moments.of(y, c).var, 4 * bound);
            }
        }
    }

    @Test
    void n2_scale_and_shift_recover_the_identity() {
        try (Model model = Model.create(new BatchNorm2d(C), 1)) {
            for (int c = 0; c < C; c++) {
                Moments x = Moments.of(X, c);
                assertEquals(1, model.tensor("weight").get(c)); // where both begin
                assertEquals(0, model.tensor("bias").get(c));
                model.tensor("weight").set(Math.sqrt(x.var + EPS), c);
                model.tensor("bias").set(x.mean, c);
            }
            double[] y = Runs.training(model, SHAPE, X);
            for (int i = 0; i < y.length; i++) {
                assertEquals(X[i], y[i], 1e-5 * Math.max(1, Math.abs(X[i])));
            }
        }
    }

    @Test
    void n3_gradients_satisfy_the_identities_of_coupled_examples() {
        double eps = 0.1; // so that what it leaves of sum dx * xhat is no rounding
        Layer layer = new Sequential(new Conv2d(C, C, window(1)), new BatchNorm2d(C, eps, 0.9));
        try (Model model = Model.create(layer, 1, DType.F64)) {
            double[] gamma = {1.5, -0.5, 2};
            model.tensor("1.weight").copyFrom(gamma);
            model.tensor("0.weight")
                    .copyFrom(1, 0, 0, 0, 1, 0, 0, 0, 1); // so that gradients of the convolution are sums of dx
            var gradients = Runs.gradients(model, SHAPE, X);
            double[] y = gradients.get("");
            for (int c = 0; c < C; c++) {
                Moments x = Moments.of(X, c);
                double std = Math.sqrt(x.var + eps);
                double sumDy = 0;
                double sumDyXhat = 0;
                for (int i = 0; i < y.length; i++) {
                    double dy = i / 30 % C == c ? 2 * y[i] / y.length : 0;
                    sumDy += dy;
                    sumDyXhat += dy * (X[i] - x.mean) / std;
                }
                double sumDx = gradients.get("0.bias")[c];
                double sumDxXhat = (gradients.get("0.weight")[c * C + c] - x.mean * sumDx) / std;
                assertEquals(0, sumDx, 1e-12);
                assertEquals(gamma[c] / std * sumDyXhat * eps / (x.var + eps), sumDxXhat, 1e-11);
                assertEquals(sumDyXhat, gradients.get("1.weight")[c], 1e-12);
                assertEquals(sumDy, gradients.get("1.bias")[c], 1e-12);
            }
        }
    }

    @Test
    void n4_one_image_is_evaluated_and_one_row_is_no_batch_to_train_with() {
        try (Model model = Model.create(new BatchNorm2d(C), 1)) {
            double[] row = {1, -2, 3};
            double[] y = Runs.inference(model, Shape.of(1, C), row);
            for (int c = 0; c < C; c++) {
                assertEquals(row[c] / Math.sqrt(1 + EPS), y[c], 4 * U * Math.abs(row[c]));
            }
            var e = assertThrows(ShapeException.class, () -> Runs.training(model, Shape.of(1, C), row));
            Messages.assertSays(ShapeException.class, e, "BatchNorm2d", "at least 2", "no variance to train with");
        }
    }

    @Test
    void n5a_running_mean_and_variance_follow_the_closed_form() {
        for (Estimate estimate : Estimate.values()) {
            assertClosedForm(Smoothed.VARIANCE, estimate);
        }
    }

    @Test
    void n5b_running_deviation_follows_the_closed_form() {
        for (Estimate estimate : Estimate.values()) {
            assertClosedForm(Smoothed.DEVIATION, estimate);
        }
    }

    /** r_k = keep^k r_0 + (1 - keep^k) a for a batch that stays the same. */
    private static void assertClosedForm(Smoothed smoothed, Estimate estimate) {
        double keep = 0.8;
        double m = SHAPE.elementCount() / (double) C;
        String spread = smoothed == Smoothed.VARIANCE ? "running_var" : "running_std";
        try (Model model = Model.create(norm(smoothed, estimate, keep), 1)) {
            for (int k = 1; k <= 6; k++) {
                Runs.training(model, SHAPE, X);
                double old = Math.pow(keep, k);
                for (int c = 0; c < C; c++) {
                    Moments x = Moments.of(X, c);
                    double var = estimate == Estimate.UNBIASED ? x.var * m / (m - 1) : x.var;
                    double batch = smoothed == Smoothed.VARIANCE ? var : Math.sqrt(var + EPS);
                    double mean = (1 - old) * x.mean;
                    assertEquals(mean, model.tensor("running_mean").get(c), 1e-6 * Math.max(1, mean));
                    assertEquals(old + (1 - old) * batch, model.tensor(spread).get(c), 1e-6);
                }
            }
        }
    }

    @Test
    void n5b_the_squared_deviation_is_at_most_the_variance_and_equal_for_constant_statistics() {
        try (Model variances = Model.create(norm(Smoothed.VARIANCE, Estimate.BIASED, 0.5), 1, DType.F64);
                Model deviations = Model.create(norm(Smoothed.DEVIATION, Estimate.BIASED, 0.5), 1, DType.F64)) {
            for (int k = 0; k < 60; k++) {
                double[] x = k < 10 ? Runs.normal(X.length, k) : X; // batches of their own, then the same one
                for (int i = 0; i < x.length && k < 10; i++) {
                    x[i] *= k + 1;
                }
                Runs.training(variances, SHAPE, x);
                Runs.training(deviations, SHAPE, x);
                for (int c = 0; c < C; c++) {
                    double std = deviations.tensor("running_std").get(c);
                    double var = variances.tensor("running_var").get(c) + EPS; // which the deviation has inside
                    assertTrue(std * std <= var * (1 + 1e-15), std * std + " > " + var);
                    assertTrue(k == 0 || k >= 10 || std * std < 0.99 * var, "spread of spreads");
                    assertTrue(k < 59 || std * std > var * (1 - 1e-9), std * std + " < " + var);
                }
            }
        }
    }

    @Test
    void n5b_evaluation_divides_by_the_deviation_and_adds_no_eps() {
        try (Model model = Model.create(new BatchNorm2d(C, 0.5, 0.9, Smoothed.DEVIATION, Estimate.BIASED), 1)) {
            model.tensor("running_std").copyFrom(0.5, 2, 4);
            double[] y = Runs.inference(model, Shape.of(2, C), 1, 2, 3, -4, 5, 6);
            assertArrayEquals(new double[] {2, 1, 0.75, -8, 2.5, 1.5}, y);
        }
    }

    /** A convolution and its normalisation; the convolution's result is wanted elsewhere too, or not. */
    private static final class Pair extends Layer {
        private final Conv2d conv = child("conv", new Conv2d(C, 8, window(3)));
        private final BatchNorm2d bn;
        private final boolean hasOtherConsumer;

        Pair(Smoothed smoothed, boolean hasOtherConsumer) {
            this.bn = child("bn", new BatchNorm2d(8, EPS, 0.5, smoothed, Estimate.UNBIASED));
            this.hasOtherConsumer = hasOtherConsumer;
        }

        @Override
        public Value forward(Value x) {
            Value y = conv.forward(x);
            Value z = bn.forward(y);
            return hasOtherConsumer ? z.concat(y) : z;
        }
    }

    @Test
    void n6_folding_keeps_a_thousand_logits_and_drops_layers_and_bytes() {
        for (Smoothed smoothed : Smoothed.values()) {
            Layer layer = new Sequential(new Pair(smoothed, false), new Flatten(), new Linear(8 * 3 * 4, 5));
            Shape shape = Shape.of(1000, C, 5, 6);
            double[] x = Runs.normal(shape.elementCount(), 7);
            try (Model model = Model.create(layer, 1);
                    var folded = model.inference(shape);
                    var plain = model.inference(shape, SessionOptions.DEFAULT.withoutRewrites("fold-batchnorm"));
                    var memory = OwnedMemory.open("x")) {
                Runs.training(model, Shape.of(100, C, 5, 6), Arrays.copyOf(x, 100 * C * 30));
                var images = Runs.tensor(memory, model, shape, x);
                double[] want = plain.run(images).toDoubleArray();
                double[] got = folded.run(images).toDoubleArray();
                for (int row = 0; row < 1000; row++) {
                    double size = 0;
                    for (int k = 0; k < 5; k++) {
                        size = Math.max(size, Math.abs(want[row * 5 + k]));
                    }
                    for (int k = 0; k < 5; k++) {
                        assertEquals(want[row * 5 + k], got[row * 5 + k], 1e-5 * size);
                    }
                }
            }
            Layer pair = new Pair(smoothed, false);
            assertTrue(planBytes(pair) < planBytes(pair, "fold-batchnorm"));
            assertEquals(2, nodes(new Pair(smoothed, false), Set.of("fold-batchnorm")));
            assertEquals(
                    2, nodes(new Pair(smoothed, false), Set.of())); // convolution, and folding once for its weights
            assertEquals(1, running(new Pair(smoothed, false)));
        }
    }

    /**
     * What activations take of the plan, of one large image: of many, parts would grow by what folding saves. Scratch memory, which
     * is a level's own matter, may hide it in the whole.
     */
    private static long planBytes(Layer layer, String... disabled) {
        try (Model model = Model.create(layer, 1);
                var session =
                        model.inference(Shape.of(1, C, 200, 200), SessionOptions.DEFAULT.withoutRewrites(disabled))) {
            return session.memory().peakBytes(Family.ACTIVATIONS);
        }
    }

    @Test
    void n6_folding_is_refused_where_the_convolution_feeds_another_consumer() {
        Layer layer = new Pair(Smoothed.VARIANCE, true);
        assertEquals(nodes(layer, Set.of("fold-batchnorm")), nodes(layer, Set.of()));
        assertEquals(nodes(layer, Set.of()), running(layer));
    }

    private static Graph inference(Layer layer, Set<String> disabled) {
        Graph graph = new Graph(Graph.Mode.INFERENCE, DType.F32, 1, Parameter::name);
        graph.keep(layer.forward(graph.input("x", DType.F32, SHAPE)));
        Rewrite.applyAll(graph, disabled);
        return graph;
    }

    private static long nodes(Layer layer, Set<String> disabled) {
        return inference(layer, disabled).nodes().size();
    }

    /** Nodes that run for every batch. */
    private static long running(Layer layer) {
        return inference(layer, Set.of()).nodes().stream()
                .filter(n -> !n.op().name().equals("batchnorm_fold"))
                .count();
    }

    @Test
    void n7_a_bias_before_normalisation_changes_nothing_in_training() {
        Layer with = new Sequential(new Conv2d(C, 4, window(3)), new BatchNorm2d(4));
        Layer without = new Sequential(new Conv2d(C, 4, window(3), Bias.NONE), new BatchNorm2d(4));
        try (Model a = Model.create(with, 1, DType.F64);
                Model b = Model.create(without, 1, DType.F64)) {
            b.tensor("0.weight").copyFrom(a.tensor("0.weight"));
            a.tensor("0.bias").copyFrom(3, -2, 1, 0.5);
            assertArrayEquals(Runs.training(b, SHAPE, X), Runs.training(a, SHAPE, X), 1e-12);
        }
    }

    @Test
    void n8_images_are_normalised_as_the_rows_of_their_pixels() {
        Shape rows = Shape.of(4 * 30, C);
        double[] matrix = new double[X.length];
        for (int i = 0; i < X.length; i++) { // (n, c, pixel) to (n, pixel, c)
            matrix[(i / 90 * 30 + i % 30) * C + i / 30 % C] = X[i];
        }
        try (Model images = Model.create(new BatchNorm2d(C), 1);
                Model features = Model.create(new BatchNorm2d(C), 1)) {
            double[] a = Runs.training(images, SHAPE, X);
            double[] b = Runs.training(features, rows, matrix);
            for (int i = 0; i < X.length; i++) {
                double bound = 8 * U * (100 + Math.abs(a[i])); // the largest mean in units of its deviation
                assertEquals(a[i], b[(i / 90 * 30 + i % 30) * C + i / 30 % C], bound);
            }
            assertEquals(Shape.of(C), features.tensor("running_var").shape());
        }
    }
}
