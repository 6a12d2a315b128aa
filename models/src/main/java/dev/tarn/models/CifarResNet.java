package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.AvgPool2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Identity;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import java.util.ArrayList;
import java.util.List;

/**
 * ResNet-20, 32, 44, 56 and 110 for CIFAR (He et al., "Deep residual learning for image recognition", 2016, section 4.2): 6 n + 2
 * layers, three stages of n blocks with 16, 32 and 64 channels. Shortcuts have no weights (option A).
 */
public final class CifarResNet extends Layer {
    private static final int[] WIDTH = {16, 32, 64};

    private final Conv2d conv1;
    private final Layer bn1;
    private final Layer act1;
    private final List<Layer> stages = new ArrayList<>();
    private final Layer dropout;
    private final Linear linear;

    public CifarResNet(int depth, int classes, long channels) {
        this(depth, classes, channels, Style.OWN);
    }

    /**
     * @param style dropout, which the paper has none of, is before the last layer
     * @throws IllegalArgumentException if the depth is not 6 n + 2
     */
    public CifarResNet(int depth, int classes, long channels, Style style) {
        if (depth < 8 || depth % 6 != 2) {
            throw new IllegalArgumentException("a ResNet for CIFAR has 6 n + 2 layers, such as 20, not " + depth);
        }
        conv1 = child("conv1", new Conv2d(channels, 16, window(3).padding(1), Bias.NONE));
        bn1 = child("bn1", style.normalization(16));
        act1 = child("act1", style.activation(16));
        long in = 16;
        for (int i = 0; i < WIDTH.length; i++) {
            Layer[] stage = new Layer[depth / 6];
            for (int j = 0; j < stage.length; j++) {
                stage[j] = in == WIDTH[i]
                        ? new BasicBlock(in, in, 1, new Identity(), style)
                        : new BasicBlock(in, WIDTH[i], 2, new Shortcut(in, WIDTH[i]), style);
                in = WIDTH[i];
            }
            stages.add(child("layer" + (i + 1), new Sequential(stage)));
        }
        dropout = child("dropout", style.dropout());
        linear = child("linear", new Linear(in, classes));
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        Value y = act1.forward(bn1.forward(conv1.forward(x)));
        for (Layer stage : stages) {
            y = stage.forward(y);
        }
        return linear.forward(dropout.forward(y.globalAvgPool2d()));
    }

    /** Every second row and column, and half of the new channels as zeros on each side. */
    private static final class Shortcut extends Layer {
        /** A window of one pixel: its mean is the pixel. */
        private final AvgPool2d subsample =
                child("0", new AvgPool2d(window(1).stride(2).floor()));

        private final long before;
        private final long after;

        Shortcut(long in, long out) {
            before = (out - in) / 2;
            after = out - in - before;
        }

        @Override
        public Value forward(Value x) { // (N, in, H, W) -> (N, out, H/2, W/2)
            return subsample.forward(x).padChannels(before, after);
        }
    }
}
