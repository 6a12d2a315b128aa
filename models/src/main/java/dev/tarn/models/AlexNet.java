package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.AdaptiveAvgPool2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import dev.tarn.nn.init.Gaussian;

/**
 * AlexNet for images of 224 x 224 as torchvision builds it, names included: the network of one column (Krizhevsky, "One weird trick
 * for parallelizing convolutional neural networks", 2014) that came after the one of two (Krizhevsky et al., "ImageNet
 * classification with deep convolutional neural networks", 2012), without normalisation of responses. Linear layers begin with the
 * paper's standard deviation, 0.01, convolutions with He's, which had yet to come.
 */
public final class AlexNet extends Layer {
    private static final int HIDDEN = 4096;
    /** Rows and columns that are left of 224. */
    private static final int SIDE = 6;

    private final Layer features;
    private final Layer avgpool;
    private final Layer classifier;

    public AlexNet(int classes, long channels) {
        this(classes, channels, Style.OWN);
    }

    /**
     * @param style in place of ReLU and dropouts of one half
     * @throws IllegalArgumentException if it names a normalisation
     */
    public AlexNet(int classes, long channels, Style style) {
        style.refuseNormalization("alexnet");
        features = child(
                "features",
                new Sequential(
                        new Conv2d(channels, 64, window(11).stride(4).padding(2).floor()),
                        style.activation(64),
                        pool(),
                        new Conv2d(64, 192, window(5).padding(2)),
                        style.activation(192),
                        pool(),
                        new Conv2d(192, 384, window(3).padding(1)),
                        style.activation(384),
                        new Conv2d(384, 256, window(3).padding(1)),
                        style.activation(256),
                        new Conv2d(256, 256, window(3).padding(1)),
                        style.activation(256),
                        pool()));
        avgpool = child("avgpool", new AdaptiveAvgPool2d(SIDE, SIDE));
        classifier = child(
                "classifier",
                new Sequential(
                        style.dropout(new Dropout()),
                        linear(256 * SIDE * SIDE, HIDDEN),
                        style.activation(HIDDEN),
                        style.dropout(new Dropout()),
                        linear(HIDDEN, HIDDEN),
                        style.activation(HIDDEN),
                        linear(HIDDEN, classes)));
    }

    private static Layer linear(long in, long out) {
        return new Linear(in, out, Bias.LEARNED, Gaussian.of(0.01));
    }

    private static Layer pool() {
        return new MaxPool2d(window(3).stride(2).floor());
    }

    @Override
    public Value forward(Value x) { // (N, C, 224, 224) -> (N, classes)
        return classifier.forward(avgpool.forward(features.forward(x)).flatten());
    }
}
