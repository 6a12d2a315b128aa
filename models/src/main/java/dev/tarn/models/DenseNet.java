package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.AvgPool2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Style;
import java.util.ArrayList;
import java.util.List;

/**
 * DenseNet-121 (Huang et al., "Densely connected convolutional networks", 2017, table 1: DenseNet-BC with a growth of 32) for images
 * of 224 x 224 as torchvision builds it, names included.
 */
public final class DenseNet extends Layer {
    /** Layers of each block. */
    private static final int[] BLOCKS = {6, 12, 24, 16};

    /** Channels that a layer adds. */
    private static final int GROWTH = 32;

    /** Channels of a layer's 3x3 convolution for each that it adds. */
    private static final int BOTTLENECK = 4;

    private static final int STEM = 64;

    private final Layer features;
    private final Layer dropout;
    private final Linear classifier;

    public DenseNet(int classes, long channels) {
        this(classes, channels, Style.OWN);
    }

    /** @param style dropout, which the paper has none of on ImageNet, is before the last layer */
    public DenseNet(int classes, long channels, Style style) {
        var chain = new Chain()
                .add(
                        "conv0",
                        new Conv2d(
                                channels, STEM, window(7).stride(2).padding(3).floor(), Bias.NONE))
                .add("norm0", style.normalization(STEM))
                .add("relu0", style.activation(STEM))
                .add("pool0", new MaxPool2d(window(3).stride(2).padding(1).floor()));
        long in = STEM;
        for (int i = 1; i <= BLOCKS.length; i++) {
            int layers = BLOCKS[i - 1];
            chain.add("denseblock" + i, new Block(in, layers, GROWTH, style));
            in += (long) layers * GROWTH;
            if (i < BLOCKS.length) {
                chain.add("transition" + i, transition(in, in / 2, style));
                in /= 2;
            }
        }
        chain.add("norm5", style.normalization(in)).add("relu5", style.activation(in));
        features = child("features", chain);
        dropout = child("dropout", style.dropout());
        classifier = child("classifier", new Linear(in, classes));
    }

    /** Half of the channels and of the pixels along each axis. */
    private static Layer transition(long in, long out, Style style) {
        return new Chain()
                .add("norm", style.normalization(in))
                .add("relu", style.activation(in))
                .add("conv", new Conv2d(in, out, window(1), Bias.NONE))
                .add("pool", new AvgPool2d(window(2).stride(2).floor()));
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        return classifier.forward(dropout.forward(features.forward(x).globalAvgPool2d()));
    }

    /** Layers of which each sees what went in and what all before it added. */
    static final class Block extends Layer {
        private final List<Layer> layers = new ArrayList<>();

        Block(long in, int count, long growth, Style style) {
            for (int i = 0; i < count; i++) {
                layers.add(child("denselayer" + (i + 1), layer(in + i * growth, growth, style)));
            }
        }

        private static Layer layer(long in, long growth, Style style) {
            long width = BOTTLENECK * growth;
            return new Chain()
                    .add("norm1", style.normalization(in))
                    .add("relu1", style.activation(in))
                    .add("conv1", new Conv2d(in, width, window(1), Bias.NONE))
                    .add("norm2", style.normalization(width))
                    .add("relu2", style.activation(width))
                    .add("conv2", new Conv2d(width, growth, window(3).padding(1), Bias.NONE));
        }

        @Override
        public Value forward(Value x) { // (N, in, H, W) -> (N, in + count * growth, H, W)
            Value y = x;
            for (Layer layer : layers) {
                y = y.concat(layer.forward(y));
            }
            return y;
        }
    }

    /** Layers one after the other, each with a name. */
    private static final class Chain extends Layer {
        private final List<Layer> layers = new ArrayList<>();

        Chain add(String name, Layer layer) {
            layers.add(child(name, layer));
            return this;
        }

        @Override
        public Value forward(Value x) {
            Value y = x;
            for (Layer layer : layers) {
                y = layer.forward(y);
            }
            return y;
        }
    }
}
