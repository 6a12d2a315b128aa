package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Identity;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;

/**
 * A 3x3 convolution between two of 1x1 that narrow and widen the channels, beside a shortcut (He et al., "Deep residual learning
 * for image recognition", 2016). The 3x3 convolution has the stride, as in torchvision.
 */
final class Bottleneck extends Layer {
    /** Output channels for each of the 3x3 convolution. */
    static final int EXPANSION = 4;

    private final Conv2d conv1;
    private final Conv2d conv2;
    private final Conv2d conv3;
    private final Layer bn1;
    private final Layer bn2;
    private final Layer bn3;
    private final Layer act1;
    private final Layer act2;
    private final Layer act3;
    private final Layer downsample;

    Bottleneck(long in, long width, long stride, Style style) {
        long out = EXPANSION * width;
        conv1 = child("conv1", new Conv2d(in, width, window(1), Bias.NONE));
        bn1 = child("bn1", style.normalization(width));
        act1 = child("act1", style.activation(width));
        conv2 = child(
                "conv2",
                new Conv2d(width, width, window(3).stride(stride).padding(1).floor(), Bias.NONE));
        bn2 = child("bn2", style.normalization(width));
        act2 = child("act2", style.activation(width));
        conv3 = child("conv3", new Conv2d(width, out, window(1), Bias.NONE));
        bn3 = child("bn3", style.normalization(out));
        act3 = child("act3", style.activation(out));
        downsample = child("downsample", projection(in, out, stride, style));
    }

    /** A shortcut: the input itself where the sizes are the same, else a normalised 1x1 convolution (option B). */
    static Layer projection(long in, long out, long stride, Style style) {
        return stride == 1 && in == out
                ? new Identity()
                : new Sequential(
                        new Conv2d(in, out, window(1).stride(stride).floor(), Bias.NONE), style.normalization(out));
    }

    @Override
    public Value forward(Value x) { // (N, in, H, W) -> (N, 4 width, H/stride, W/stride)
        Value y = act1.forward(bn1.forward(conv1.forward(x)));
        y = act2.forward(bn2.forward(conv2.forward(y)));
        y = bn3.forward(conv3.forward(y));
        return act3.forward(y.add(downsample.forward(x)));
    }
}
