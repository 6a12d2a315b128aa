package dev.tarn.models;

import static dev.tarn.graph.Window.window;

import dev.tarn.graph.Value;
import dev.tarn.nn.Bias;
import dev.tarn.nn.Conv2d;
import dev.tarn.nn.Layer;
import dev.tarn.nn.Linear;
import dev.tarn.nn.MaxPool2d;
import dev.tarn.nn.Style;
import dev.tarn.tensor.Shape;

/**
 * LeNet-5 (LeCun et al., "Gradient-based learning applied to document recognition", 1998) as it is built today: ReLU, maximum
 * pooling, a softmax classifier, every map of the second convolution seeing all of the first. Images of 28 x 28 get two zeros on
 * each side, which makes them the paper's 32 x 32; others are taken as they are.
 */
public final class LeNet5 extends Layer {
    private final Conv2d conv1;
    private final Conv2d conv2;
    private final Linear fc1;
    private final Linear fc2;
    private final Linear fc3;
    private final MaxPool2d pool1;
    private final MaxPool2d pool2;
    private final Layer act1;
    private final Layer act2;
    private final Layer act3;
    private final Layer act4;
    private final Layer dropout;

    /** @param image (C, H, W) */
    public LeNet5(int classes, Shape image) {
        this(classes, image, Style.OWN);
    }

    /** @param style dropout, which the paper has none of, is before the last layer */
    public LeNet5(int classes, Shape image, Style style) {
        style.refuseNormalization("lenet5");
        long padding = image.size(1) == 28 && image.size(2) == 28 ? 2 : 0;
        conv1 = child("conv1", new Conv2d(image.size(0), 6, window(5).padding(padding), Bias.LEARNED));
        act1 = child("act1", style.activation(6));
        pool1 = child("pool1", new MaxPool2d(2));
        conv2 = child("conv2", new Conv2d(6, 16, window(5), Bias.LEARNED));
        act2 = child("act2", style.activation(16));
        pool2 = child("pool2", new MaxPool2d(2));
        fc1 = child("fc1", new Linear(16 * side(image.size(1), padding) * side(image.size(2), padding), 120));
        act3 = child("act3", style.activation(120));
        fc2 = child("fc2", new Linear(120, 84));
        act4 = child("act4", style.activation(84));
        dropout = child("dropout", style.dropout());
        fc3 = child("fc3", new Linear(84, classes));
    }

    /** Rows or columns that are left after both convolutions and poolings: 5 of 32. */
    private static long side(long size, long padding) {
        long pooled = (size + 2 * padding - 4) / 2;
        return Math.max(1, (pooled - 4) / 2);
    }

    @Override
    public Value forward(Value x) { // (N, C, H, W) -> (N, classes)
        Value y = pool1.forward(act1.forward(conv1.forward(x)));
        y = pool2.forward(act2.forward(conv2.forward(y)));
        y = act3.forward(fc1.forward(y.flatten()));
        y = act4.forward(fc2.forward(y));
        return fc3.forward(dropout.forward(y));
    }
}
