package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Identity;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Sequential;

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
    private final BatchNorm2d bn1;
    private final BatchNorm2d bn2;
    private final BatchNorm2d bn3;
    private final Layer downsample;

    Bottleneck(long in, long width, long stride) {
        long out = EXPANSION * width;
        conv1 = child("conv1", new Conv2d(in, width, window(1), Bias.NONE));
        bn1 = child("bn1", new BatchNorm2d(width));
        conv2 = child(
                "conv2",
                new Conv2d(width, width, window(3).stride(stride).padding(1).floor(), Bias.NONE));
        bn2 = child("bn2", new BatchNorm2d(width));
        conv3 = child("conv3", new Conv2d(width, out, window(1), Bias.NONE));
        bn3 = child("bn3", new BatchNorm2d(out));
        downsample = child("downsample", projection(in, out, stride));
    }

    /** A shortcut: the input itself where the sizes are the same, else a normalised 1x1 convolution (option B). */
    static Layer projection(long in, long out, long stride) {
        return stride == 1 && in == out
                ? new Identity()
                : new Sequential(
                        new Conv2d(in, out, window(1).stride(stride).floor(), Bias.NONE), new BatchNorm2d(out));
    }

    @Override
    public Value forward(Value x) { // (N, in, H, W) -> (N, 4 width, H/stride, W/stride)
        Value y = bn1.forward(conv1.forward(x)).relu();
        y = bn2.forward(conv2.forward(y)).relu();
        y = bn3.forward(conv3.forward(y));
        return y.add(downsample.forward(x)).relu();
    }
}
