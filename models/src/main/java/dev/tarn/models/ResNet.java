package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Identity;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * ResNet-18, 34, 50, 101 and 152 (He et al., "Deep residual learning for image recognition", 2016, table 1) as torchvision builds
 * them, names included: the first convolution is of 7x7 with stride 2, and a pooling follows. Images of up to 64 x 64, which would
 * be left with hardly a pixel, are met by a 3x3 convolution of stride 1 and no pooling; all else is the same. Shortcuts that change
 * the size are 1x1 convolutions (option B).
 */
public final class ResNet extends Layer {
    private static final int[] WIDTH = {64, 128, 256, 512};

    private final Conv2d conv1;
    private final Layer bn1;
    private final Layer act1;
    private final Layer maxpool;
    private final List<Layer> stages = new ArrayList<>();
    private final Layer dropout;
    private final Linear fc;

    /** @param image (C, H, W) */
    public ResNet(int depth, int classes, Shape image) {
        this(depth, classes, image, Style.OWN);
    }

    /**
     * @param image (C, H, W)
     * @param style dropout, which the paper has none of, is before the last layer
     * @throws IllegalArgumentException if the paper has no network of that depth
     */
    public ResNet(int depth, int classes, Shape image, Style style) {
        int[] blocks = blocks(depth);
        boolean small = SmallImages.include(image);
        var stem = small ? window(3).padding(1) : window(7).stride(2).padding(3).floor();
        conv1 = child("conv1", new Conv2d(image.size(0), 64, stem, Bias.NONE));
        bn1 = child("bn1", style.normalization(64));
        act1 = child("act1", style.activation(64));
        maxpool = child(
                "maxpool",
                small
                        ? new Identity()
                        : new MaxPool2d(window(3).stride(2).padding(1).floor()));
        long in = 64;
        for (int i = 0; i < WIDTH.length; i++) {
            Layer[] stage = new Layer[blocks[i]];
            for (int j = 0; j < stage.length; j++) {
                long stride = i > 0 && j == 0 ? 2 : 1;
                if (depth < 50) {
                    stage[j] = new BasicBlock(in, WIDTH[i], stride, style);
                    in = WIDTH[i];
                } else {
                    stage[j] = new Bottleneck(in, WIDTH[i], stride, style);
                    in = Bottleneck.EXPANSION * WIDTH[i];
                }
            }
            stages.add(child("layer" + (i + 1), new Sequential(stage)));
        }
        dropout = child("dropout", style.dropout());
        fc = child("fc", new Linear(in, classes));
    }

    /** Blocks of each stage: of two convolutions up to 34 layers, then of three. */
    private static int[] blocks(int depth) {
        return switch (depth) {
            case 18 -> new int[] {2, 2, 2, 2};
            case 34, 50 -> new int[] {3, 4, 6, 3};
            case 101 -> new int[] {3, 4, 23, 3};
            case 152 -> new int[] {3, 8, 36, 3};
            default -> throw new IllegalArgumentException("a ResNet has 18, 34, 50, 101 or 152 layers, not " + depth);
        };
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        Value y = maxpool.forward(act1.forward(bn1.forward(conv1.forward(x))));
        for (Layer stage : stages) {
            y = stage.forward(y);
        }
        return fc.forward(dropout.forward(y.globalAvgPool2d()));
    }
}
