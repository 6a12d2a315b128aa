package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import java.util.ArrayList;
import java.util.List;

/**
 * MobileNetV2 (Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018, table 2) for images of 224 x 224,
 * as torchvision builds it, names included.
 */
public final class MobileNetV2 extends Layer {
    /** Expansion, output channels, blocks, stride of the first block. */
    private static final int[][] STAGES = {
        {1, 16, 1, 1}, {6, 24, 2, 2}, {6, 32, 3, 2}, {6, 64, 4, 2}, {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}
    };

    private static final int STEM = 32;
    private static final int LAST = 1280;

    private final Sequential features;
    private final Sequential classifier;

    public MobileNetV2(int classes, long channels) {
        this(classes, channels, Style.OWN);
    }

    /** @param style in place of ReLU6 and a dropout that keeps 0.8 */
    public MobileNetV2(int classes, long channels, Style style) {
        List<Layer> layers = new ArrayList<>();
        layers.add(InvertedResidual.convNormActivation(
                channels, STEM, window(3).stride(2).padding(1).floor(), 1, style));
        long in = STEM;
        for (int[] stage : STAGES) {
            for (int block = 0; block < stage[2]; block++) {
                layers.add(new InvertedResidual(in, stage[1], block == 0 ? stage[3] : 1, stage[0], style));
                in = stage[1];
            }
        }
        layers.add(InvertedResidual.convNormActivation(in, LAST, window(1), 1, style));
        features = child("features", new Sequential(layers.toArray(Layer[]::new)));
        classifier = child("classifier", new Sequential(style.dropout(Dropout.drop(0.2)), new Linear(LAST, classes)));
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        return classifier.forward(features.forward(x).globalAvgPool2d());
    }
}
