package dev.tarn.session;

import static dev.tarn.Allocations.assertAllocatesNothing;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.Messages;
import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.optim.AdaGrad;
import dev.tarn.optim.Adam;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.Group;
import dev.tarn.optim.Optimizer;
import dev.tarn.optim.RMSProp;
import dev.tarn.optim.SGD;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What an update does to the parameters of a model: optimizers and groups. */
class ParameterUpdateTest extends UpdateFixture {
    private static Stream<Optimizer> optimizers() {
        return Stream.of(
                new SGD(),
                new SGD().momentum(0.9),
                new SGD().momentum(0.9).rateInside(),
                new SGD().momentum(0.9).nesterov(),
                new SGD().momentum(0.9).rateInside().nesterov(),
                new AdaGrad(),
                new RMSProp(),
                new RMSProp().nesterov(0.9),
                new Adam(),
                Adam.adamW(),
                new SGD().momentum(0.9).clipped(Clipping.norm(0.1)),
                new Adam()
                        .with(Group.of("5").l1(1e-3).maxNorm(1), Group.all().l2(1e-3))
                        .clipped(Clipping.layerNorm(0.1)));
    }

    @ParameterizedTest
    @MethodSource("optimizers")
    void e2_every_optimizer_resumes_to_the_bit(Optimizer optimizer, @TempDir Path folder) throws Exception {
        Map<String, double[]> undisturbed = weightsAfter(7, optimizer, 2);
        Path file = folder.resolve("last.ckpt");
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, optimizer, 2)) {
            for (int i = 0; i < 3; i++) {
                step(session);
            }
            session.checkpoint(file, Map.of());
        }
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, optimizer, 2)) {
            session.resume(file);
            for (int i = 0; i < 4; i++) {
                step(session);
            }
            assertSameBits(undisturbed, weights(model));
        }
    }

    @ParameterizedTest
    @MethodSource("optimizers")
    void every_optimizer_learns_and_gives_the_same_bits_at_any_number_of_threads(Optimizer optimizer) {
        Map<String, double[]> one = weightsAfter(5, optimizer, 1);
        assertSameBits(one, weightsAfter(5, optimizer, 3));
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, optimizer, 2)) {
            double first = step(session);
            double last = first;
            for (int i = 0; i < 200; i++) {
                last = step(session);
            }
            assertTrue(last < first, first + " to " + last);
            assertEquals(RATE, session.learningRate());
        }
    }

    @Test
    void steps_with_clipping_and_groups_allocate_nothing() {
        Optimizer optimizer = optimizers().toList().getLast();
        try (Model model = Model.create(network(), 4);
                TrainingSession session = train(model, optimizer, 2)) {
            assertAllocatesNothing(() -> step(session));
        }
    }

    /** The change of each parameter in one step of descent at rate 1, which is its gradient, clipped and penalised. */
    @Test
    void t2_the_gradient_of_a_batch_is_the_mean_of_those_of_its_examples() {
        Layer layer = new Sequential(new Flatten(), new Linear(3 * 12 * 12, CLASSES));
        try (Model model = Model.create(layer, 4, DType.F64);
                OwnedMemory memory = OwnedMemory.open("exact batches");
                TrainingSession session = train(model, new SGD(), 2)) {
            Batch all = Batches.labelled(memory, DType.F64, INPUT, CLASSES, 1);
            session.forward(all);
            session.backward();
            double[] got = session.gradient("1.weight").toDoubleArray();
            session.update(Double.MIN_VALUE); // too small to change a parameter; sets gradients to zero
            int m = (int) INPUT.size(0);
            double[] sum = new double[got.length];
            double[] sizes = new double[got.length];
            for (int i = 0; i < m; i++) {
                session.forward(single(all, i, memory));
                session.backward();
                double[] one = session.gradient("1.weight").toDoubleArray();
                session.update(Double.MIN_VALUE);
                for (int k = 0; k < sum.length; k++) {
                    sum[k] += one[k];
                    sizes[k] += Math.abs(one[k]);
                }
            }
            double gamma = 2 * (m + 1) * 0x1p-53; // of both sums; a division by 8 is exact
            for (int k = 0; k < sum.length; k++) {
                assertEquals(sum[k] / m, got[k], gamma * sizes[k] / m);
            }
        }
    }

    private static Batch single(Batch all, int index, OwnedMemory memory) {
        long pixels = INPUT.elementCount() / INPUT.size(0) * DType.F64.byteSize();
        var image = memory.allocate(pixels).copyFrom(all.images().data().asSlice(index * pixels, pixels));
        var label = memory.allocate(4).copyFrom(all.labels().data().asSlice(index * 4L, 4));
        return new Batch(
                Tensor.view(image, DType.F64, INPUT.withBatch(1), all.images().layout()),
                Tensor.view(label, DType.I32, Shape.of(1), all.labels().layout()),
                memory);
    }

    @Test
    void g4_incoming_weights_stay_within_the_largest_norm_at_an_absurd_rate() {
        double largest = 3;
        try (Model model = Model.create(network(), 4);
                TrainingSession session =
                        train(model, new SGD().with(Group.all().maxNorm(largest)), 2)) {
            for (int i = 0; i < 3; i++) {
                session.forward(batch);
                session.backward();
                session.update(1e12);
                for (String path : List.of("0.weight", "5.weight")) {
                    for (double norm : incomingNorms(model.tensor(path))) {
                        assertTrue(norm <= largest * (1 + 1e-6), path + ": " + norm);
                    }
                }
            }
            assertTrue(norm(model.tensor("5.bias").toDoubleArray()) > largest);
        }
    }

    @Test
    void g4_weights_within_the_largest_norm_are_untouched() {
        Map<String, double[]> free = weightsAfter(3, new SGD().momentum(0.9), 2);
        assertSameBits(
                free, weightsAfter(3, new SGD().momentum(0.9).with(Group.all().maxNorm(100)), 2));
    }

    private static double[] incomingNorms(Tensor weight) {
        double[] w = weight.toDoubleArray();
        int outputs = (int) weight.shape().size(0);
        double[] norms = new double[outputs];
        for (int i = 0; i < w.length; i++) {
            norms[i / (w.length / outputs)] += w[i] * w[i];
        }
        for (int o = 0; o < outputs; o++) {
            norms[o] = Math.sqrt(norms[o]);
        }
        return norms;
    }

    @Test
    void g16_biases_and_normalisation_are_not_regularised_unless_included() {
        Group strong = Group.all().l2(0.5).l1(0.1).decoupledDecay(0.1);
        Map<String, double[]> free = gradients(new SGD());
        Map<String, double[]> held = gradients(new SGD().with(strong));
        Map<String, double[]> included = gradients(new SGD().with(strong.includingBiases()));
        for (String path : List.of("0.bias", "1.weight", "1.bias", "5.bias")) {
            assertArrayEquals(free.get(path), held.get(path), path);
        }
        for (String path : List.of("0.weight", "5.weight")) {
            assertFalse(java.util.Arrays.equals(free.get(path), held.get(path)), path);
        }
        for (int i = 0; i < 10; i++) { // scales of normalisation start at 1
            assertEquals(free.get("1.weight")[i] + 0.5 + 0.1 + 0.1, included.get("1.weight")[i], 1e-14);
        }
    }

    @Test
    void g17_each_group_has_its_own_strength_and_rate() {
        Map<String, double[]> free = gradients(new SGD());
        Map<String, double[]> grouped = gradients(new SGD()
                .with(
                        Group.of("5").l2(0.25).rateFactor(2),
                        Group.of("*.bias").rateFactor(0),
                        Group.all().l2(0.125)));
        try (Model model = Model.create(network(), 4, DType.F64)) {
            double[] conv = model.tensor("0.weight").toDoubleArray();
            double[] linear = model.tensor("5.weight").toDoubleArray();
            for (int i = 0; i < conv.length; i++) {
                assertEquals(free.get("0.weight")[i] + 0.125 * conv[i], grouped.get("0.weight")[i], 1e-14);
            }
            for (int i = 0; i < linear.length; i++) {
                assertEquals(2 * (free.get("5.weight")[i] + 0.25 * linear[i]), grouped.get("5.weight")[i], 1e-14);
            }
            assertEquals(2 * free.get("5.bias")[0], grouped.get("5.bias")[0], 1e-14);
            assertEquals(0, norm(grouped.get("0.bias")));
        }
    }

    @Test
    void g17_a_group_that_holds_no_parameter_is_refused() {
        try (Model model = Model.create(network(), 4)) {
            var e = assertThrows(
                    IllegalArgumentException.class,
                    () -> train(model, new SGD().with(Group.of("head").l2(1)), 1));
            Messages.assertSays(IllegalArgumentException.class, e, "head", "0.weight");
        }
    }

    @Test
    void l2_the_losses_of_data_and_regularisation_are_told_apart() {
        Group first = Group.of("0").l2(0.5).l1(0.125);
        Group rest = Group.all().l2(0.25).decoupledDecay(0.5);
        try (Model free = Model.create(network(), 4);
                Model model = Model.create(network(), 4);
                TrainingSession plain = train(free, new SGD(), 2);
                TrainingSession session = train(model, new SGD().with(first, rest), 3)) {
            double data = session.forward(batch);
            assertEquals(plain.forward(batch), data);
            assertEquals(0, plain.regularizationLoss());
            double[] conv = model.tensor("0.weight").toDoubleArray();
            double[] linear = model.tensor("5.weight").toDoubleArray();
            double absolute = 0;
            for (double w : conv) {
                absolute += Math.abs(w);
            }
            double want = 0.25 * Math.pow(norm(conv), 2) + 0.125 * absolute + 0.125 * Math.pow(norm(linear), 2);
            double got = session.regularizationLoss();
            assertEquals(want, got, (conv.length + linear.length) * 0x1p-52 * want);
            assertEquals(got, session.regularizationLoss());
            session.backward(); // nothing that a step holds was touched
        }
    }
}
