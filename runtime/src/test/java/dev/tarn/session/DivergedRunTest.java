package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static dev.tarn.session.TrainerTest.CARD;
import static dev.tarn.session.TrainerTest.TEST;
import static dev.tarn.session.TrainerTest.TRAIN;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.Messages;
import dev.tarn.data.Augmentation;
import dev.tarn.data.Batch;
import dev.tarn.data.DataException;
import dev.tarn.data.DataLoader;
import dev.tarn.data.FlakyDataset;
import dev.tarn.graph.TensorFunction;
import dev.tarn.graph.Value;
import dev.tarn.graph.program.NotFinite;
import dev.tarn.io.RunFolder;
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
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.optim.Clipping;
import dev.tarn.optim.SGD;
import dev.tarn.optim.Schedule;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a run says of where its numbers stopped being finite. */
class DivergedRunTest {
    private static final Shape INPUT = Shape.of(4, 3, 12, 12);

    @TempDir
    Path folder;

    /** The identity but for one number, of the output or of the gradient. */
    private static final class Fault extends Layer implements TensorFunction {
        private final long forwardAt;
        private final long backwardAt;

        /** @param forwardAt place of the output that is infinite, as {@code backwardAt}; -1 for none */
        Fault(long forwardAt, long backwardAt) {
            this.forwardAt = forwardAt;
            this.backwardAt = backwardAt;
        }

        @Override
        public Value forward(Value x) {
            return x.apply(this, label());
        }

        @Override
        public String name() {
            return "fault";
        }

        @Override
        public void forward(List<Tensor> inputs, Tensor output) {
            copy(inputs.get(0), output, forwardAt);
        }

        @Override
        public void backward(List<Tensor> inputs, Tensor gradOutput, List<@Nullable Tensor> gradInputs) {
            copy(gradOutput, gradInputs.get(0), backwardAt);
        }

        private static void copy(Tensor from, Tensor to, long fault) {
            for (long i = 0; i < from.shape().elementCount(); i++) {
                to.setAt(i == fault ? Double.POSITIVE_INFINITY : from.getAt(i), i);
            }
        }
    }

    private static Layer network(Layer fault) {
        return new Sequential(
                new Conv2d(3, 10, window(3).padding(1), Bias.NONE),
                new BatchNorm2d(10),
                fault,
                new ReLU(),
                new MaxPool2d(2),
                new Flatten(),
                new Linear(10 * 6 * 6, 5));
    }

    private static NotFinite find(Layer net, String pathOfNaN, int images) {
        try (var memory = OwnedMemory.open("batch");
                var model = Model.create(net, 4);
                var session = model.training(INPUT, new CrossEntropyLoss(), new SGD())) {
            Batch whole = Batches.labelled(memory, DType.F32, INPUT, 5, 1);
            Batch batch =
                    new Batch(whole.images().prefix(images), whole.labels().prefix(images), memory);
            if (pathOfNaN.equals("images")) {
                batch.images().set(Double.NaN, 1, 2, 3, 4);
            } else if (!pathOfNaN.isEmpty()) {
                model.tensors().get(pathOfNaN).setAt(Double.NaN, 3);
            }
            return session.findNotFinite(batch, List.of(batch)).orElseThrow();
        }
    }

    @Test
    void the_first_layer_with_a_number_that_is_not_finite_is_found_and_the_image() {
        long inThirdImage = 2 * 10 * 144 + 5;
        for (int images = 3; images <= 4; images++) {
            NotFinite found = find(network(new Fault(inThirdImage, -1)), "", images);
            assertEquals(new NotFinite("2", "the output of", Double.POSITIVE_INFINITY, 2), found);
        }
    }

    @Test
    void parameters_and_images_are_looked_at_before_layers() {
        assertEquals(new NotFinite("6.bias", "the parameter", Double.NaN, -1), find(network(new ReLU()), "6.bias", 4));
        assertEquals(new NotFinite("images", "the batch's", Double.NaN, 1), find(network(new ReLU()), "images", 4));
    }

    @Test
    void a_gradient_that_is_not_finite_is_found_where_it_arises() {
        NotFinite found = find(network(new Fault(-1, 7)), "", 4);
        assertEquals(new NotFinite("2.grad", "the output of", Double.POSITIVE_INFINITY, 0), found);
    }

    private DivergenceException diverge(Layer net, SGD sgd, double rate) {
        var recipe = new Recipe(1, 10, sgd, Schedule.CONSTANT, rate, new CrossEntropyLoss(), Augmentation.NONE, 5);
        var trainer = new Trainer(net, CARD, recipe, SessionOptions.DEFAULT);
        return assertThrows(
                DivergenceException.class,
                () -> trainer.run(
                        TRAIN,
                        TEST,
                        RunFolder.create(folder.resolve("run")),
                        Trainer.Start.FRESH,
                        TrainingListener.NONE));
    }

    /** The images of a batch of the run's first epoch. */
    private static long[] samples(int batch) {
        try (var loader =
                DataLoader.of(TRAIN, 10).preprocessed(CARD.preprocessing()).shuffled(5)) {
            var batches = loader.epoch(0).iterator();
            for (int i = 0; i <= batch; i++) {
                batches.next();
            }
            return loader.samples();
        }
    }

    @Test
    void a_run_names_epoch_step_layer_and_images() {
        DivergenceException e = diverge(TrainerTest.net(), new SGD(), 1e30);
        Messages.assertSays(
                DivergenceException.class, e, "the loss is NaN in epoch 1, step 2 of the run", "image ", " and 2 more");
        assertTrue(List.of("0", "4").contains(e.layer()), e.layer());
        assertArrayEquals(samples(1), e.samples());
        assertEquals(2, e.step());
        assertTrue(e.getMessage().contains(TRAIN.name(e.samples()[0])));
    }

    @Test
    void so_does_one_whose_image_cannot_be_read() {
        long broken = samples(3)[4];
        var e = assertThrows(
                DataException.class,
                () -> TrainerTest.trainer(1, 0.01, SessionOptions.DEFAULT)
                        .run(
                                new FlakyDataset(TRAIN, broken, new boolean[] {true}),
                                TEST,
                                RunFolder.create(folder.resolve("run")),
                                Trainer.Start.FRESH,
                                TrainingListener.NONE));
        assertEquals(
                "in epoch 1, step 4 of the run: %s: a cable fell out".formatted(TRAIN.name(broken)), e.getMessage());
    }

    @Test
    void so_does_one_whose_clipped_clipped_gradients_are_not_finite() {
        Layer net = new Sequential(
                new Conv2d(1, 6, window(5), Bias.LEARNED),
                new Fault(-1, 0),
                new MaxPool2d(4),
                new Flatten(),
                new Linear(6 * 6 * 6, 10));
        DivergenceException e = diverge(net, new SGD().clipped(Clipping.norm(1)), 0.01);
        Messages.assertSays(
                DivergenceException.class,
                e,
                "the norm of the gradients of the model is ",
                "in epoch 1, step 1 of the run",
                "Infinity in the output of 1.grad, for " + TRAIN.name(samples(0)[0]));
    }
}
