package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import java.util.ArrayList;
import java.util.List;

/**
 * ResNet-18 (He et al., "Deep residual learning for image recognition", 2016) with a 3x3 stem and no first pooling, for images
 * of 32 x 32. Names are torchvision's; shortcuts that change the size are 1x1 convolutions (option B).
 */
public final class ResNet18 extends Layer {
    private final Conv2d conv1;
    private final Layer bn1;
    private final Layer act1;
    private final List<Layer> stages = new ArrayList<>();
    private final Layer dropout;
    private final Linear fc;

    public ResNet18(int classes, long channels) {
        this(classes, channels, Style.OWN);
    }

    /** @param style dropout, which the paper has none of, is before the last layer */
    public ResNet18(int classes, long channels, Style style) {
        conv1 = child("conv1", new Conv2d(channels, 64, window(3).padding(1), Bias.NONE));
        bn1 = child("bn1", style.normalization(64));
        act1 = child("act1", style.activation(64));
        int[] width = {64, 64, 128, 256, 512};
        for (int i = 1; i <= 4; i++) {
            Layer first = new BasicBlock(width[i - 1], width[i], i == 1 ? 1 : 2, style);
            stages.add(child("layer" + i, new Sequential(first, new BasicBlock(width[i], width[i], 1, style))));
        }
        dropout = child("dropout", style.dropout());
        fc = child("fc", new Linear(512, classes));
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        Value y = act1.forward(bn1.forward(conv1.forward(x)));
        for (Layer stage : stages) {
            y = stage.forward(y);
        }
        return fc.forward(dropout.forward(y.globalAvgPool2d()));
    }
}
