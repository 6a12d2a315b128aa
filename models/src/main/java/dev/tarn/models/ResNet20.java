package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.AvgPool2d;
import dev.tarn.nn.BatchNorm2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Identity;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import java.util.ArrayList;
import java.util.List;

/**
 * ResNet-20 for CIFAR (He et al., "Deep residual learning for image recognition", 2016, section 4.2): three groups of three blocks
 * with 16, 32 and 64 channels. Shortcuts have no weights (option A).
 */
public final class ResNet20 extends Layer {
    private final Conv2d conv1;
    private final BatchNorm2d bn1;
    private final List<Layer> stages = new ArrayList<>();
    private final Linear linear;

    public ResNet20(int classes, long channels) {
        conv1 = child("conv1", new Conv2d(channels, 16, window(3).padding(1), Bias.NONE));
        bn1 = child("bn1", new BatchNorm2d(16));
        int[] width = {16, 16, 32, 64};
        for (int i = 1; i <= 3; i++) {
            Layer first = i == 1
                    ? new BasicBlock(16, 16, 1, new Identity())
                    : new BasicBlock(width[i - 1], width[i], 2, new Shortcut(width[i - 1], width[i]));
            stages.add(child("layer" + i, new Sequential(first, same(width[i]), same(width[i]))));
        }
        linear = child("linear", new Linear(64, classes));
    }

    private static BasicBlock same(long width) {
        return new BasicBlock(width, width, 1, new Identity());
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        Value y = bn1.forward(conv1.forward(x)).relu();
        for (Layer stage : stages) {
            y = stage.forward(y);
        }
        return linear.forward(y.globalAvgPool2d());
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
