package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.graph.Window;
import dev.tarn.nn.AdaptiveAvgPool2d;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Layer;
import dev.tarn.nn.ReLU6;
import dev.tarn.nn.Style;
import java.util.ArrayList;
import java.util.List;

/**
 * MobileNet (Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision applications", 2017, table 1) for
 * images of 224 x 224 as Keras builds it, so that weights published for TensorFlow fit: its names, its normalisation and its
 * padding. Convolutions of 3x3 see a channel each, those of 1x1 a pixel each.
 */
public final class MobileNetV1 extends Layer {
    /** Output channels of each 1x1 convolution at width 1, and the stride of the 3x3 one before it. */
    private static final int[][] PAIRS = {
        {64, 1}, {128, 2}, {128, 1}, {256, 2}, {256, 1}, {512, 2}, {512, 1}, {512, 1}, {512, 1}, {512, 1}, {512, 1},
        {1024, 2}, {1024, 1}
    };

    private static final int STEM = 32;
    private static final double EPS = 1e-3;
    private static final double KEEP = 0.99;

    private final List<Layer> layers = new ArrayList<>();

    /** @param width what all numbers of channels are multiplied by: 1, 0.75, 0.5 or 0.25 in the paper */
    public MobileNetV1(double width, int classes, long channels) {
        this(width, classes, channels, Style.OWN);
    }

    /**
     * @param width what all numbers of channels are multiplied by: 1, 0.75, 0.5 or 0.25 in the paper
     * @param style in place of ReLU6 and a dropout that keeps 0.999
     */
    public MobileNetV1(double width, int classes, long channels, Style style) {
        long in = (long) (width * STEM);
        convolution("conv1", new Conv2d(channels, in, padded(2), Bias.NONE), in, style);
        for (int i = 1; i <= PAIRS.length; i++) {
            long out = (long) (width * PAIRS[i - 1][0]);
            convolution("conv_dw_" + i, new Conv2d(in, in, padded(PAIRS[i - 1][1]), Bias.NONE, in), in, style);
            convolution("conv_pw_" + i, new Conv2d(in, out, window(1), Bias.NONE), out, style);
            in = out;
        }
        layers.add(child("pool", new AdaptiveAvgPool2d(1, 1)));
        layers.add(child("dropout", style.dropout(Dropout.drop(1e-3))));
        layers.add(child("conv_preds", new Conv2d(in, classes, window(1))));
    }

    /** A convolution, its normalisation and ReLU6. */
    private void convolution(String name, Conv2d convolution, long out, Style style) {
        layers.add(child(name, convolution));
        layers.add(child(name + "_bn", style.normalization(out, new BatchNorm2d(out, EPS, KEEP))));
        layers.add(child(name + "_relu", style.activation(out, new ReLU6())));
    }

    /** TensorFlow's SAME, of even sizes: with stride 2 only the last windows reach beyond the image. */
    private static Window padded(long stride) {
        return stride == 1
                ? window(3).padding(1)
                : window(3).stride(stride).padding(0, 0, 1, 1).floor();
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        Value y = x;
        for (Layer layer : layers) {
            y = layer.forward(y);
        }
        return y.flatten();
    }
}
