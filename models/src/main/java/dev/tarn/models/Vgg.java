package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.AdaptiveAvgPool2d;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Dropout;
import dev.tarn.nn.Identity;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Sequential;
import dev.tarn.nn.Style;
import dev.tarn.nn.init.Gaussian;
import dev.tarn.tensor.Shape;
import java.util.ArrayList;
import java.util.List;

/**
 * VGG-11, 13, 16 and 19 (Simonyan and Zisserman, "Very deep convolutional networks for large-scale image recognition", 2015,
 * configurations A, B, D and E) for images of 224 x 224 as torchvision builds them, names included, without and with batch
 * normalisation ({@code vgg16_bn}). Its linear layers begin with the paper's standard deviation, 0.01.
 *
 * <p>Of images of up to 64 x 64 five poolings leave hardly a pixel: there one linear layer takes the place of the three, which
 * would be most of the network, and each convolution is normalised whatever was asked for, since on few small images the plain
 * network hardly begins to learn.
 */
public final class Vgg extends Layer {
    /** What follows a convolution before its activation. */
    public enum Convolutions {
        PLAIN,
        NORMALIZED
    }

    private static final int[] WIDTH = {64, 128, 256, 512, 512};
    private static final int LAST = 512;
    private static final int HIDDEN = 4096;
    /** Rows and columns that are left of 224. */
    private static final int SIDE = 7;
    /** How many pixels along an edge become one. */
    private static final int POOLED = 32;

    private final Layer features;
    private final Layer avgpool;
    private final Layer dropout;
    private final Layer classifier;

    /** @param image (C, H, W) */
    public Vgg(int depth, Convolutions convolutions, int classes, Shape image) {
        this(depth, convolutions, classes, image, Style.OWN);
    }

    /**
     * @param image (C, H, W)
     * @param style in place of ReLU and dropouts of one half; for small images, where there is no dropout, it is before the last layer
     * @throws IllegalArgumentException if the paper has no network of that depth, or a plain one should be normalised
     */
    public Vgg(int depth, Convolutions convolutions, int classes, Shape image, Style style) {
        boolean small = SmallImages.include(image);
        boolean normalized = small || convolutions == Convolutions.NORMALIZED;
        if (!normalized) {
            style.refuseNormalization("vgg" + depth);
        }
        features = child("features", features(blocks(depth), image.size(0), normalized, style));
        if (small) {
            long pixels = Math.max(1, image.size(1) / POOLED * (image.size(2) / POOLED));
            avgpool = child("avgpool", new Identity());
            dropout = child("dropout", style.dropout());
            classifier = child("classifier", new Linear(LAST * pixels, classes));
        } else {
            avgpool = child("avgpool", new AdaptiveAvgPool2d(SIDE, SIDE));
            dropout = child("dropout", new Identity());
            classifier = child("classifier", classifier(classes, style));
        }
    }

    /** Convolutions before each pooling. */
    private static int[] blocks(int depth) {
        return switch (depth) {
            case 11 -> new int[] {1, 1, 2, 2, 2};
            case 13 -> new int[] {2, 2, 2, 2, 2};
            case 16 -> new int[] {2, 2, 3, 3, 3};
            case 19 -> new int[] {2, 2, 4, 4, 4};
            default -> throw new IllegalArgumentException("a VGG has 11, 13, 16 or 19 layers, not " + depth);
        };
    }

    private static Layer features(int[] blocks, long channels, boolean normalized, Style style) {
        List<Layer> layers = new ArrayList<>();
        long in = channels;
        for (int i = 0; i < blocks.length; i++) {
            for (int j = 0; j < blocks[i]; j++) {
                layers.add(new Conv2d(in, WIDTH[i], window(3).padding(1)));
                if (normalized) {
                    layers.add(style.normalization(WIDTH[i]));
                }
                layers.add(style.activation(WIDTH[i]));
                in = WIDTH[i];
            }
            layers.add(new MaxPool2d(2));
        }
        return new Sequential(layers.toArray(Layer[]::new));
    }

    private static Layer classifier(int classes, Style style) {
        return new Sequential(
                linear(LAST * SIDE * SIDE, HIDDEN),
                style.activation(HIDDEN),
                style.dropout(new Dropout()),
                linear(HIDDEN, HIDDEN),
                style.activation(HIDDEN),
                style.dropout(new Dropout()),
                linear(HIDDEN, classes));
    }

    private static Layer linear(long in, long out) {
        return new Linear(in, out, Bias.LEARNED, Gaussian.of(0.01));
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        Value y = avgpool.forward(features.forward(x));
        return classifier.forward(dropout.forward(y.flatten()));
    }
}
