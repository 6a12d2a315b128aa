package dev.tarn.session;

import static dev.tarn.graph.Window.window;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tarn.data.Batch;
import dev.tarn.graph.Graph;
import dev.tarn.graph.Parameter;
import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.graph.op.Pool2dOp;
import dev.tarn.memory.OwnedMemory;
import dev.tarn.nn.AdaptiveAvgPool2d;
import dev.tarn.nn.AvgPool2d;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Flatten;
import dev.tarn.nn.GlobalAvgPool2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.ReLU;
import dev.tarn.nn.ReLU6;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.loss.CrossEntropyLoss;
import dev.tarn.nn.loss.Loss;
import dev.tarn.nn.loss.MSELoss;
import dev.tarn.tensor.DType;
import dev.tarn.tensor.Shape;
import org.junit.jupiter.api.Test;

/**
 * Gradients against centred finite differences in F64 (K1). A convolution comes first everywhere, so that each operation's
 * gradient with respect to its input counts.
 */
class GradientTest {
    static final double SMOOTH = 1e-7;
    static final double KINKS = 1e-4;
    private static final int CLASSES = 3;

    private static double worstError(Layer layer, Shape input, Loss loss) {
        try (var memory = OwnedMemory.open("batch")) {
            Batch batch = loss instanceof MSELoss
                    ? Batches.regression(memory, DType.F64, input, Shape.of(input.size(0), CLASSES), 5)
                    : Batches.labelled(memory, DType.F64, input, CLASSES, 5);
            GradientCheck.Report report = GradientCheck.of(layer, loss, batch, 3);
            assertTrue(
                    report.skipped() * 10 <= report.samples(),
                    report.skipped() + " of " + report.samples() + " skipped");
            return report.worstError();
        }
    }

    /** A first convolution, the layers under test, and a head. */
    static void check(double bound, Layer... layers) {
        check(bound, Shape.of(2, 3, 7, 6), new CrossEntropyLoss(), layers);
    }

    static void check(double bound, Shape input, Loss loss, Layer... layers) {
        var all = new Layer[layers.length + 3];
        all[0] = new Conv2d(3, 4, window(3).padding(1));
        System.arraycopy(layers, 0, all, 1, layers.length);
        all[layers.length + 1] = new Flatten();
        all[layers.length + 2] = new Linear(flattened(input, layers), CLASSES);
        double error = worstError(new Sequential(all), input, loss);
        assertTrue(error < bound, "relative error " + error);
    }

    /** Columns that the head gets, found by tracing. */
    private static long flattened(Shape input, Layer... layers) {
        var graph = new Graph(Graph.Mode.TRAINING, DType.F64, 0, Parameter::name);
        Value y = graph.input("x", DType.F64, Shape.of(input.size(0), 4, input.size(2), input.size(3)));
        for (Layer layer : layers) {
            y = layer.forward(y);
        }
        return y.shape().elementCount() / input.size(0);
    }

    @Test
    void convolution_with_bias() {
        check(SMOOTH, new Conv2d(4, 5, window(3)));
    }

    @Test
    void convolution_with_stride_and_asymmetric_padding() {
        check(
                SMOOTH,
                new Conv2d(
                        4, 5, Window.of(3, 2).stride(2, 3).padding(0, 1, 2, 1).floor(), Bias.NONE));
    }

    @Test
    void depthwise_convolution_padded_at_the_ends_alone() {
        check(SMOOTH, new Conv2d(4, 4, window(3).stride(2).padding(0, 0, 1, 1).floor(), Bias.NONE, 4));
    }

    @Test
    void convolution_with_dilation() {
        check(SMOOTH, new Conv2d(4, 2, window(3).dilation(2).padding(1)));
    }

    @Test
    void convolution_with_groups() {
        check(SMOOTH, new Conv2d(4, 6, window(3), Bias.LEARNED, 2));
    }

    @Test
    void depthwise_convolution() {
        check(SMOOTH, new Conv2d(4, 4, window(3).padding(1), Bias.LEARNED, 4));
    }

    @Test
    void pointwise_convolution_and_global_pooling() {
        Layer layer = new Sequential(new Conv2d(3, 4, window(1)), new GlobalAvgPool2d(), new Linear(4, CLASSES));
        double error = worstError(layer, Shape.of(2, 3, 5, 4), new CrossEntropyLoss());
        assertTrue(error < SMOOTH, "relative error " + error);
    }

    @Test
    void stride_larger_than_the_window() {
        check(SMOOTH, new Conv2d(4, 3, window(2).stride(3).floor()));
    }

    @Test
    void relu() {
        check(KINKS, new ReLU());
    }

    @Test
    void relu6() {
        check(KINKS, new Layer() {
            @Override
            public Value forward(Value x) { // times 8, so that a good part lies beyond six
                Value y = x.add(x);
                y = y.add(y);
                return y.add(y).relu6();
            }
        });
    }

    @Test
    void batch_normalisation_and_residual_fused_with_relu6() {
        check(
                KINKS,
                new Layer() {
                    private final Conv2d conv = child("conv", new Conv2d(4, 4, window(1), Bias.NONE));
                    private final BatchNorm2d bn = child("bn", new BatchNorm2d(4));

                    @Override
                    public Value forward(Value x) {
                        Value y = x.add(x);
                        return bn.forward(conv.forward(x)).add(y.add(y)).relu6();
                    }
                },
                new Conv2d(4, 4, window(1), Bias.NONE), // a bias would be at the kink where all inputs are zero
                new ReLU6());
    }

    @Test
    void max_pooling_with_overlap_and_padding() {
        check(KINKS, new MaxPool2d(window(3).stride(2).padding(1).floor()));
    }

    @Test
    void average_pooling_without_padding_in_the_mean() {
        check(SMOOTH, new AvgPool2d(window(3).stride(2).padding(1).floor()));
    }

    @Test
    void max_pooling_padded_at_the_ends_alone() {
        check(KINKS, new MaxPool2d(window(3).stride(2).padding(0, 0, 1, 1).floor()));
    }

    @Test
    void average_pooling_to_a_fixed_size() {
        check(SMOOTH, Shape.of(2, 3, 6, 9), new CrossEntropyLoss(), new AdaptiveAvgPool2d(2, 3));
    }

    @Test
    void average_pooling_with_padding_in_the_mean() {
        check(SMOOTH, new AvgPool2d(window(3).stride(2).padding(1).floor(), Pool2dOp.Padding.INCLUDED));
    }

    @Test
    void n3_batch_normalisation() {
        check(SMOOTH, new BatchNorm2d(4));
    }

    @Test
    void batch_normalisation_fused_with_relu() {
        check(KINKS, new BatchNorm2d(4), new ReLU());
    }

    @Test
    void k1_dropout_with_its_mask_frozen() {
        check(SMOOTH, Dropout.keep(0.7));
    }

    @Test
    void mean_squared_error() {
        check(SMOOTH, Shape.of(2, 3, 7, 6), new MSELoss(), new Conv2d(4, 2, window(3)));
    }

    @Test
    void cross_entropy_with_label_smoothing() {
        check(SMOOTH, Shape.of(3, 3, 7, 6), new CrossEntropyLoss(0.1));
    }

    /** y = relu(bn(conv(x)) + x), then x and y side by side. */
    private static final class Residual extends Layer {
        private final Conv2d conv = child("conv", new Conv2d(4, 4, window(3).padding(1), Bias.NONE));
        private final BatchNorm2d bn = child("bn", new BatchNorm2d(4));

        @Override
        public Value forward(Value x) {
            Value y = bn.forward(conv.forward(x)).add(x).relu();
            return x.concat(y, x);
        }
    }

    @Test
    void t9_a_diamond_with_residual_and_concat() {
        check(KINKS, new Residual());
    }

    @Test
    void channels_of_zeros_on_both_sides() {
        check(SMOOTH, new Layer() {
            private final Conv2d conv = child("conv", new Conv2d(4, 5, window(1), Bias.NONE));

            @Override
            public Value forward(Value x) {
                return conv.forward(x).padChannels(2, 3);
            }
        });
    }

    @Test
    void a_residual_block_whose_masked_gradient_has_two_readers() {
        check(KINKS, new Layer() {
            private final Conv2d conv = child("conv", new Conv2d(4, 4, window(3).padding(1), Bias.NONE));
            private final BatchNorm2d bn = child("bn", new BatchNorm2d(4));

            @Override
            public Value forward(Value x) {
                return bn.forward(conv.forward(x)).add(x).relu();
            }
        });
    }

    @Test
    void two_residual_blocks_in_a_row() {
        check(KINKS, new Residual(), new Conv2d(12, 4, window(1)), new Residual());
    }

    @Test
    void a_value_used_twice_in_one_sum() {
        check(SMOOTH, new Layer() {
            @Override
            public Value forward(Value x) {
                return x.add(x);
            }
        });
    }

    @Test
    void a_whole_small_lenet() {
        Layer lenet = new Sequential(
                new Conv2d(1, 3, window(5).padding(2)),
                new ReLU(),
                new MaxPool2d(2),
                new Conv2d(3, 5, window(3)),
                new ReLU(),
                new MaxPool2d(2),
                new Flatten(),
                new Linear(20, 8),
                new ReLU(),
                new Linear(8, CLASSES));
        double error = worstError(lenet, Shape.of(3, 1, 12, 12), new CrossEntropyLoss());
        assertTrue(error < KINKS, "relative error " + error);
    }
}
