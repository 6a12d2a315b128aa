package dev.tarn.models;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.GlobalAvgPool2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.session.GradientCheck;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Layout;
import dev.tarn.tensor.Rng;
import dev.tarn.tensor.Shape;
import dev.tarn.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Blocks that bring several paths together, in F64 beside finite differences. */
class BlocksGradientTest {
    private static final double BOUND = 1e-4; // of networks with kinks
    private static final int CLASSES = 3;
    private static final Shape IMAGES = Shape.of(3, 3, 6, 6);

    private static void check(Layer block, long out) {
        Layer net = new Sequential(
                new Conv2d(3, 4, window(3).padding(1)), block, new GlobalAvgPool2d(), new Linear(out, CLASSES));
        Rng rng = new Rng(2, Rng.Stream.GRADIENT_CHECK, 0);
        try (var memory = OwnedMemory.open("batch")) {
            Tensor images = Tensor.view(
                    memory.allocate(IMAGES.elementCount() * Double.BYTES), DType.F64, IMAGES, Layout.CHANNELS_LAST);
            Tensor labels = Tensor.view(
                    memory.allocate(IMAGES.size(0) * Integer.BYTES),
                    DType.I32,
                    Shape.of(IMAGES.size(0)),
                    Layout.ROW_MAJOR);
            images.fill(rng::nextGaussian);
            labels.fill(() -> rng.nextLong(CLASSES));
            var report = GradientCheck.of(net, new CrossEntropyLoss(), new Batch(images, labels, memory), 3);
            assertTrue(report.skipped() * 2 < report.samples(), report.skipped() + " skipped");
            assertTrue(report.worstError() < BOUND, report.worst() + " is off by " + report.worstError());
        }
    }

    @Test
    void a_dense_block() {
        check(new DenseNet.Block(4, 3, 2, Style.OWN), 10);
    }

    @Test
    void a_fire() {
        check(new SqueezeNet.Fire(4, 3, 5, Style.OWN), 10);
    }
}
