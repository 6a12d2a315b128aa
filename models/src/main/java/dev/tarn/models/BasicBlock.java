package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Style;

/**
 * Two 3x3 convolutions beside a shortcut (He et al., "Deep residual learning for image recognition", 2016). The shortcut brings
 * the input to the size of the output; it is the input itself where both are the same.
 */
final class BasicBlock extends Layer {
    private final Conv2d conv1;
    private final Conv2d conv2;
    private final Layer bn1;
    private final Layer bn2;
    private final Layer act1;
    private final Layer act2;
    private final Layer downsample;

    /** A block with a shortcut that has weights where the size changes (option B). */
    BasicBlock(long in, long out, long stride, Style style) {
        this(in, out, stride, Bottleneck.projection(in, out, stride, style), style);
    }

    BasicBlock(long in, long out, long stride, Layer shortcut, Style style) {
        // Even sizes leave a remainder at stride 2: the padding below and on the right is then never read.
        conv1 = child(
                "conv1", new Conv2d(in, out, window(3).stride(stride).padding(1).floor(), Bias.NONE));
        bn1 = child("bn1", style.normalization(out));
        act1 = child("act1", style.activation(out));
        conv2 = child("conv2", new Conv2d(out, out, window(3).padding(1), Bias.NONE));
        bn2 = child("bn2", style.normalization(out));
        act2 = child("act2", style.activation(out));
        downsample = child("downsample", shortcut);
    }

    @Override
    public Value forward(Value x) { // (N, in, H, W) -> (N, out, H/stride, W/stride)
        Value y = act1.forward(bn1.forward(conv1.forward(x)));
        y = bn2.forward(conv2.forward(y));
        return act2.forward(y.add(downsample.forward(x)));
    }
}
