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
 * VGG-11 with batch normalisation (Simonyan and Zisserman, "Very deep convolutional networks", 2015, configuration A) for images
 * of 32 x 32. The features are torchvision's vgg11_bn, names included; five poolings leave one pixel of 512 channels, so that one
 * linear layer takes the place of the three that 224 x 224 images need.
 */
public final class Vgg11 extends Layer {
    private static final int POOL = 0;
    private static final int[] FEATURES = {64, POOL, 128, POOL, 256, 256, POOL, 512, 512, POOL, 512, 512, POOL};

    private final Sequential features;
    private final Layer dropout;
    private final Linear classifier;

    public Vgg11(int classes, long channels) {
        this(classes, channels, Style.OWN);
    }

    /** @param style dropout, which only the three linear layers had, is before the one */
    public Vgg11(int classes, long channels, Style style) {
        List<Layer> layers = new ArrayList<>();
        long in = channels;
        for (int out : FEATURES) {
            if (out == POOL) {
                layers.add(new MaxPool2d(2));
            } else {
                layers.add(new Conv2d(in, out, window(3).padding(1), Bias.LEARNED));
                layers.add(style.normalization(out));
                layers.add(style.activation(out));
                in = out;
            }
        }
        features = child("features", new Sequential(layers.toArray(Layer[]::new)));
        dropout = child("dropout", style.dropout());
        classifier = child("classifier", new Linear(512, classes));
    }

    @Override
    public Value forward(Value x) { // (N, C, 32, 32) -> (N, classes)
        return classifier.forward(dropout.forward(features.forward(x).flatten()));
    }
}
