package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import java.util.ArrayList;
import java.util.List;

/**
 * ResNet-50 (He et al., "Deep residual learning for image recognition", 2016) for images of 224 x 224, as torchvision builds it,
 * names included.
 */
public final class ResNet50 extends Layer {
    private static final int[] BLOCKS = {3, 4, 6, 3};
    private static final int[] WIDTH = {64, 128, 256, 512};

    private final Conv2d conv1;
    private final Layer bn1;
    private final Layer act1;
    private final MaxPool2d maxpool;
    private final List<Layer> stages = new ArrayList<>();
    private final Layer dropout;
    private final Linear fc;

    public ResNet50(int classes, long channels) {
        this(classes, channels, Style.OWN);
    }

    /** @param style dropout, which the paper has none of, is before the last layer */
    public ResNet50(int classes, long channels, Style style) {
        conv1 = child(
                "conv1", new Conv2d(channels, 64, window(7).stride(2).padding(3).floor(), Bias.NONE));
        bn1 = child("bn1", style.normalization(64));
        act1 = child("act1", style.activation(64));
        maxpool = child("maxpool", new MaxPool2d(window(3).stride(2).padding(1).floor()));
        long in = 64;
        for (int i = 0; i < WIDTH.length; i++) {
            Layer[] blocks = new Layer[BLOCKS[i]];
            for (int j = 0; j < blocks.length; j++) {
                blocks[j] = new Bottleneck(in, WIDTH[i], i > 0 && j == 0 ? 2 : 1, style);
                in = Bottleneck.EXPANSION * WIDTH[i];
            }
            stages.add(child("layer" + (i + 1), new Sequential(blocks)));
        }
        dropout = child("dropout", style.dropout());
        fc = child("fc", new Linear(in, classes));
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
